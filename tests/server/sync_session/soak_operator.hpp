#pragma once

// What administrators and programs do to the app "islands" while its devices sync: writes past the
// devices, documents that fit no class and their repair, roles of the collection T, development
// mode, queryable fields, properties that are added, resets of single devices, pauses, ends of
// sync.

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "server/sync_session/operator.hpp"
#include "server/sync_session/sync_wire.hpp"
#include "support/random_schema.hpp"

namespace tombolo::server {

class SoakOperator {
  public:
    explicit SoakOperator(testing::Choices& choices) : choices_(choices) {}

    /// Signs in at a server that has just started.
    void arrive(std::uint16_t port);
    /// One random thing; `file` is some device's. Throws std::runtime_error when an administrator
    /// is refused.
    void act(std::uint64_t file);
    /// Sync runs, if it was paused.
    void calm_down();
    /// What was done how often.
    std::string report() const;

  private:
    enum What {
        write,
        change_roles,
        develop,
        make_queryable,
        add_property,
        reset,
        expire,
        pause,
        terminate,
        what_count
    };

    void write_t();
    void write_item();
    void call(const std::string& action, const std::string& collection,
              const std::string& arguments);
    void set_roles();
    void set_development_mode();
    void add_queryable();
    void extend();
    /// 404: it was reset or given up before, or sync was terminated since.
    void put_file(const std::string& path, std::uint64_t file);
    void set_state(const std::string& state);

    testing::Choices& choices_;
    std::uint16_t port_ = 0;
    std::unique_ptr<Operator> admin_;
    Login login_;
    std::string service_;
    bool is_developing_ = false;
    bool is_paused_ = false;
    int properties_ = 0;
    int queryable_ = 0;
    std::array<std::uint64_t, what_count> done_{};
};

} // namespace tombolo::server
