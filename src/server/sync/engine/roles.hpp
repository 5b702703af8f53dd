#pragma once

// What the rules tell the sync engine about a user: for each class, which objects may be read,
// written, created and erased (device-sync-server.md 4).
//
// Filters are texts of the device query language over queryable fields, with every expansion
// resolved for that user: "TRUEPREDICATE", "FALSEPREDICATE", "author == \"65f0\"". They are stored
// with the file, because a role is part of the view that the file holds: equal texts are an equal
// role, so print them in one way. A filter that does not bind to the class denies.
//
// Field permissions are not expressed here yet: a role that needs them is given as deny_all().

#include <map>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace tombolo::server::sync {

struct ClassPermissions {
    /// The effective read filter: write implies read, so it includes the write filter.
    std::string read = "TRUEPREDICATE";
    /// Must hold before and after every change.
    std::string write = "TRUEPREDICATE";
    /// Of the new object; asked on top of `write`.
    std::string insert = "TRUEPREDICATE";
    /// Of the object before; asked on top of `write`.
    std::string erase = "TRUEPREDICATE";

    static ClassPermissions allow_all() { return {}; }
    static ClassPermissions deny_all() {
        return {"FALSEPREDICATE", "FALSEPREDICATE", "FALSEPREDICATE", "FALSEPREDICATE"};
    }
    static ClassPermissions read_only() {
        return {"TRUEPREDICATE", "FALSEPREDICATE", "FALSEPREDICATE", "FALSEPREDICATE"};
    }

    friend bool operator==(const ClassPermissions&, const ClassPermissions&) = default;
};

/// The expanded role of one user.
struct Role {
    std::map<std::string, ClassPermissions, std::less<>> classes;
    /// Of the classes that are not listed.
    ClassPermissions others;

    const ClassPermissions& of(std::string_view class_name) const {
        const auto found = classes.find(class_name);
        return found == classes.end() ? others : found->second;
    }

    static Role allow_all() { return {}; }
    static Role deny_all() { return {{}, ClassPermissions::deny_all()}; }

    friend bool operator==(const Role&, const Role&) = default;
};

/// Thread-safety: role_of may be called from several threads. Must not call the engine.
class RoleProvider {
  public:
    virtual ~RoleProvider() = default;
    /// The role as of now. Asked once a binding, at IDENT; an error ends the binding with 201 and a
    /// retry.
    virtual Result<Role> role_of(std::string_view user_id) = 0;
};

/// The same role for everybody.
class FixedRole final : public RoleProvider {
  public:
    explicit FixedRole(Role role) : role_(std::move(role)) {}
    Result<Role> role_of(std::string_view /*user_id*/) override { return role_; }

  private:
    Role role_;
};

} // namespace tombolo::server::sync
