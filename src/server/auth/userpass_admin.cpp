// Email/password users as administrators make and change them (admin-api-and-config.md R11).

#include <algorithm>

#include "server/api/api_error.hpp"
#include "server/auth/password.hpp"
#include "server/auth/userpass.hpp"
#include "server/runtime/json.hpp"
#include "server/runtime/sealer.hpp"

namespace tombolo::auth {

using api::ApiException;
using store::Space;
using store::Transaction;

namespace {

api::ApiError name_in_use() {
    return api::conflict("AccountNameInUse", "name already in use");
}

std::string new_id() {
    return to_hex(as_bytes(server::random_bytes(12)));
}

} // namespace

ObjectId Userpass::create_confirmed(const std::string& address, const std::string& password) const {
    check_address(address);
    check_acceptable(password);
    if (find(address)) {
        throw ApiException(name_in_use());
    }
    const std::int64_t now = context_.now_ms();
    User user;
    user.id = ObjectId::parse(new_id()).value();
    user.created_ms = now;
    EmailAccount account;
    account.state = EmailAccount::State::confirmed;
    account.password_hash = hash_password(password);
    account.identity_id = new_id();
    account.user = user.id.to_string();
    account.created_ms = now;
    user.identities.push_back({account.identity_id,
                               "local-userpass",
                               app_.provider_id("local-userpass").to_string(),
                               {{"email", address}}});
    Transaction transaction;
    transaction.insert_record(Space::meta, keys_.email(address), encode(account));
    transaction.insert_record(Space::meta, keys_.identity("local-userpass", address),
                              user.id.to_string());
    transaction.insert_record(Space::meta, keys_.user(user.id), encode(user));
    if (!commit_or_conflict(context_.store, std::move(transaction))) {
        throw ApiException(name_in_use());
    }
    return user.id;
}

void Userpass::change_address(const ObjectId& user, const std::string& address) const {
    check_address(address);
    const auto snapshot = context_.store.snapshot();
    const auto stored = snapshot->record(Space::meta, keys_.user(user)).value();
    if (!stored) {
        throw ApiException(api::not_found("UserNotFound", "user not found"));
    }
    User changed = decode_user(user, *stored).value();
    const auto identity =
        std::find_if(changed.identities.begin(), changed.identities.end(),
                     [](const Identity& one) { return one.provider_type == "local-userpass"; });
    if (identity == changed.identities.end()) {
        throw ApiException(api::bad_request("the user has no email/password identity"));
    }
    const std::string old_address = server::string_or(identity->data, "email");
    if (old_address == address) {
        return;
    }
    const auto account = snapshot->record(Space::meta, keys_.email(old_address)).value();
    if (!account || find(address)) {
        throw ApiException(name_in_use());
    }
    identity->data["email"] = address;
    Transaction transaction;
    transaction.replace_record(Space::meta, keys_.user(user), stored, encode(changed));
    transaction.replace_record(Space::meta, keys_.email(old_address), account, std::nullopt);
    transaction.insert_record(Space::meta, keys_.email(address), *account);
    transaction.erase_record(Space::meta, keys_.identity("local-userpass", old_address));
    transaction.insert_record(Space::meta, keys_.identity("local-userpass", address),
                              user.to_string());
    if (!commit_or_conflict(context_.store, std::move(transaction))) {
        throw ApiException(name_in_use());
    }
}

} // namespace tombolo::auth
