#pragma once

// What bson.cpp and the ejson_*.cpp files share over libbson. Not for other layers: includes
// libbson.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <bson/bson.h>

#include "core/bson.hpp"

namespace tombolo::detail {

/// Where in a document we are: "a.b[3]". Borrows the keys.
class FieldPath {
  public:
    class Scope {
      public:
        Scope(FieldPath& path, std::string_view key) : path_(path) {
            path_.steps_.emplace_back(key);
        }
        Scope(FieldPath& path, std::size_t index) : path_(path) {
            path_.steps_.emplace_back(index);
        }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        ~Scope() { path_.steps_.pop_back(); }

      private:
        FieldPath& path_;
    };

    /// Number of steps: 1 for a field of the top document.
    std::size_t depth() const noexcept { return steps_.size(); }
    std::string to_string() const;
    Error error(ErrorCode code, std::string message) const;

  private:
    std::vector<std::variant<std::string_view, std::size_t>> steps_;
};

/// A BSON document being built; freed with its scope.
class OwnedBson {
  public:
    OwnedBson() noexcept { bson_init(&bson_); }
    OwnedBson(const OwnedBson&) = delete;
    OwnedBson& operator=(const OwnedBson&) = delete;
    ~OwnedBson() { bson_destroy(&bson_); }

    bson_t* get() noexcept { return &bson_; }
    /// limit_exceeded when longer than limits::document_bytes_max.
    Result<BsonBuffer> copy() const;

  private:
    bson_t bson_;
};

/// A document or array being built inside another one; closed with its scope.
class ChildBson {
  public:
    enum class Kind { document, array };
    /// REQUIRES: the parent outlives this and is not appended to meanwhile.
    ChildBson(bson_t* parent, std::string_view key, Kind kind) noexcept;
    ChildBson(const ChildBson&) = delete;
    ChildBson& operator=(const ChildBson&) = delete;
    ~ChildBson();

    /// False when libbson's own size limit was met.
    bool is_open() const noexcept { return open_; }
    bson_t* get() noexcept { return &child_; }

  private:
    bson_t* parent_;
    bson_t child_{};
    Kind kind_;
    bool open_;
};

/// An element's place in an array as a key.
class IndexKey {
  public:
    explicit IndexKey(std::size_t index) noexcept;
    std::string_view text() const noexcept { return {text_, size_}; }

  private:
    char text_[20];
    std::size_t size_;
};

/// Appends a scalar or link; the key must hold no NUL.
bool append_scalar(bson_t* out, std::string_view key, const ScalarView& value) noexcept;

/// Opens bytes for reading; bad_bson or limit_exceeded. A bson_t must stay where it is: it points
/// into itself.
Result<void> open_bson(ByteView bytes, bson_t& out);

/// The element's key.
std::string_view key_of(const bson_iter_t& element) noexcept;

/// The iteration ended because the bytes are damaged.
bool is_damaged(const bson_iter_t& iteration) noexcept;

ObjectId object_id_from(const bson_oid_t& oid) noexcept;

inline int length_of(std::string_view text) noexcept {
    return static_cast<int>(text.size());
}

} // namespace tombolo::detail
