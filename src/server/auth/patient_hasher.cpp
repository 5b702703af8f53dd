#include "server/auth/patient_hasher.hpp"

#include <atomic>
#include <future>
#include <memory>

#include <sodium.h>

#include "server/auth/breather.hpp"

namespace tombolo::auth {

namespace {

// Outlives whoever lost his patience.
struct Job {
    Job(std::string_view of, const Argon2Hash& with) : password(of), hash(with) {}
    ~Job() { sodium_memzero(password.data(), password.size()); }
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    std::string password;
    const Argon2Hash hash;
    std::atomic<bool> is_given_up{false};
    std::promise<std::string> digest;
};

} // namespace

std::string PatientHasher::digest(std::string_view password, const Argon2Hash& hash) {
    const auto job = std::make_shared<Job>(password, hash);
    const bool is_taken = pool_.submit([job, memory_bytes = memory_bytes_] {
        if (job->is_given_up) {
            return;
        }
        static thread_local const Argon2Memory memory(memory_bytes);
        const Breather breather;
        job->digest.set_value(argon2_digest(job->password, job->hash));
    });
    std::future<std::string> answer = job->digest.get_future();
    // Not taken: more callers at once than any server has threads.
    if (is_taken && answer.wait_for(patience_) == std::future_status::ready) {
        return answer.get();
    }
    job->is_given_up = true;
    return argon2_digest(password, hash);
}

} // namespace tombolo::auth
