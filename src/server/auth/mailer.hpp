#pragma once

// Mail: through an SMTP relay, or as files in an outbox folder when none is configured.
//
// Sending happens on a thread of its own; what cannot be sent is tried again a few times, then
// logged. Thread-safety: all members from any thread.

#include <chrono>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "server/runtime/log.hpp"

namespace tombolo::auth {

struct Mail {
    std::string to;
    std::string subject;
    std::string body; ///< plain text, UTF-8
};

struct MailerOptions {
    /// smtp://host:port or smtps://host:port; empty: the outbox.
    std::string smtp_url;
    std::string smtp_user;
    std::string smtp_password;
    bool smtp_require_tls = true;
    std::string from = "noreply@localhost";
    /// Folder of *.eml files, made when absent: all mail without a relay, else what the relay did
    /// not take.
    std::string outbox;
    /// How long mail that is under way may hold up the mailer's end.
    std::chrono::milliseconds stop_patience{3'000};
};

class Mailer {
  public:
    static Result<std::unique_ptr<Mailer>> create(const MailerOptions& options,
                                                  const server::Log& log);
    ~Mailer();

    /// Takes the mail over; never blocks on the network.
    void send(Mail mail);
    /// Waits until all taken so far is sent or given up.
    void flush();

    class Impl;

  private:
    explicit Mailer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// RFC 5322 text of a mail, with CRLF line ends; the subject is encoded when it is not ASCII.
std::string compose_mail(const Mail& mail, const std::string& from, std::int64_t now_unix_s,
                         const std::string& message_id);

} // namespace tombolo::auth
