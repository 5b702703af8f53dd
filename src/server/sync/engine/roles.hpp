#pragma once

// What the rules tell the sync engine about a user: for each class, which objects may be read,
// written, created and erased (device-sync-server.md 4).
//
// Filters are texts of the device query language over queryable fields, with every expansion
// resolved for that user: "TRUEPREDICATE", "FALSEPREDICATE", "author == \"65f0\"". They are stored
// with the file, because a role is part of the view that the file holds: equal texts are an equal
// role, so print them in one way. A filter that does not bind to the class denies.
//
// Field permissions narrow what the filters allow: what of a held object is sent, and which of its
// fields may be written.

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.hpp"

namespace tombolo::server::sync {

/// What of an object, or of an embedded object in it, may be read and written. Literals only.
struct FieldPermissions {
    /// Of the fields that are not listed. Write implies read.
    bool read = true;
    bool write = true;
    /// By name. One with fields of its own speaks for the inside of an embedded object; of a field
    /// that holds anything else it denies all.
    std::map<std::string, FieldPermissions, std::less<>> fields;

    bool allows_all() const { return read && write && fields.empty(); }

    friend bool operator==(const FieldPermissions&, const FieldPermissions&) = default;
};

struct ClassPermissions {
    /// The effective read filter: write implies read, so it includes the write filter.
    std::string read = "TRUEPREDICATE";
    /// Must hold before and after every change.
    std::string write = "TRUEPREDICATE";
    /// Of the new object; asked on top of `write`.
    std::string insert = "TRUEPREDICATE";
    /// Of the object before; asked on top of `write`, and only where all fields may be written.
    std::string erase = "TRUEPREDICATE";
    /// The primary key belongs to whoever sees the object.
    FieldPermissions fields = {};

    static ClassPermissions allow_all() { return {}; }
    static ClassPermissions deny_all() {
        return {"FALSEPREDICATE", "FALSEPREDICATE", "FALSEPREDICATE", "FALSEPREDICATE", {}};
    }
    static ClassPermissions read_only() {
        return {"TRUEPREDICATE", "FALSEPREDICATE", "FALSEPREDICATE", "FALSEPREDICATE", {}};
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
