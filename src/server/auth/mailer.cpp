#include "server/auth/mailer.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include <curl/curl.h>

#include "core/bytes.hpp"
#include "server/runtime/sealer.hpp"

namespace tombolo::auth {

namespace {

constexpr std::size_t waiting_max = 10'000;
constexpr int attempts_max = 4;
constexpr long smtp_timeout_s = 30;

bool is_ascii(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// One line whatever it was given: a header must not bring another one along.
std::string one_line(std::string_view text) {
    std::string out(text);
    std::replace_if(
        out.begin(), out.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
    return out;
}

std::string date_header(std::int64_t unix_s) {
    const std::time_t time = unix_s;
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    char buffer[64];
    const std::size_t size =
        std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S +0000", &parts);
    return {buffer, size};
}

std::int64_t unix_now() {
    return static_cast<std::int64_t>(std::time(nullptr));
}

struct Upload {
    std::string_view rest;
};

std::size_t read_upload(char* buffer, std::size_t size, std::size_t count, void* state) {
    auto& upload = *static_cast<Upload*>(state);
    const std::size_t taken = std::min(size * count, upload.rest.size());
    std::copy_n(upload.rest.data(), taken, buffer);
    upload.rest.remove_prefix(taken);
    return taken;
}

} // namespace

std::string compose_mail(const Mail& mail, const std::string& from, std::int64_t now_unix_s,
                         const std::string& message_id) {
    const std::string subject = one_line(mail.subject);
    std::string text;
    text += "Date: " + date_header(now_unix_s) + "\r\n";
    text += "From: " + one_line(from) + "\r\n";
    text += "To: " + one_line(mail.to) + "\r\n";
    text += "Subject: " +
            (is_ascii(subject) ? subject : "=?utf-8?B?" + to_base64(as_bytes(subject)) + "?=") +
            "\r\n";
    text += "Message-ID: <" + message_id + ">\r\n";
    text += "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 8bit\r\n\r\n";
    for (const char c : mail.body) {
        if (c == '\n' && !text.ends_with('\r')) {
            text += '\r';
        }
        text += c;
    }
    return text;
}

class Mailer::Impl {
  public:
    Impl(const MailerOptions& options, const server::Log& log)
        : options_(options), log_(log), thread_([this] { loop(); }) {}

    ~Impl() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
            give_up_at_ = std::chrono::steady_clock::now() + options_.stop_patience;
            changed_.notify_all();
        }
        thread_.join();
    }

    void send(Mail mail) {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() >= waiting_max) {
            log_.error("mail dropped: too many are waiting", {{"to", mail.to}});
            return;
        }
        waiting_.push_back(std::move(mail));
        changed_.notify_all();
    }

    void flush() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return waiting_.empty() && !sending_; });
    }

  private:
    void loop() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
            if (waiting_.empty()) {
                return;
            }
            const Mail mail = std::move(waiting_.front());
            waiting_.pop_front();
            sending_ = true;
            lock.unlock();
            deliver(mail);
            lock.lock();
            sending_ = false;
            changed_.notify_all();
        }
    }

    void deliver(const Mail& mail) {
        const std::string id = to_hex(as_bytes(server::random_bytes(12)));
        const std::string text = compose_mail(mail, options_.from, unix_now(), id + "@tombolo");
        for (int attempt = 1;; ++attempt) {
            const std::string problem =
                options_.smtp_url.empty() ? write_file(text, id) : relay(mail, text);
            if (problem.empty()) {
                log_.info("mail sent", {{"to", mail.to}, {"subject", mail.subject}});
                return;
            }
            if (attempt == attempts_max || !pause(std::chrono::seconds(1 << attempt))) {
                const bool kept = !options_.smtp_url.empty() && write_file(text, id).empty();
                log_.error(kept ? "mail not sent; it is in the outbox" : "mail not sent",
                           {{"to", mail.to}, {"error", problem}});
                return;
            }
        }
    }

    // False when the mailer is stopping.
    bool pause(std::chrono::seconds time) {
        std::unique_lock lock(mutex_);
        return !changed_.wait_for(lock, time, [this] { return stopping_; });
    }

    std::string write_file(const std::string& text, const std::string& id) const {
        const auto path = std::filesystem::path(options_.outbox) /
                          (std::to_string(unix_now()) + "-" + id + ".eml");
        const std::string part = path.string() + ".part"; // readers see whole mails only
        std::ofstream file(part, std::ios::binary);
        file << text;
        file.close();
        std::error_code error;
        if (file.good()) {
            std::filesystem::rename(part, path, error);
        }
        return file.good() && !error ? "" : "cannot write " + path.string();
    }

    // libcurl asks about once a second: a relay that hangs holds up a stop for its patience only.
    static int give_up_when_due(void* mailer, curl_off_t /*download_total*/, curl_off_t /*down*/,
                                curl_off_t /*upload_total*/, curl_off_t /*up*/) {
        Impl& self = *static_cast<Impl*>(mailer);
        const std::lock_guard lock(self.mutex_);
        return self.stopping_ && std::chrono::steady_clock::now() > self.give_up_at_ ? 1 : 0;
    }

    std::string relay(const Mail& mail, const std::string& text) {
        const std::unique_ptr<CURL, void (*)(CURL*)> curl(::curl_easy_init(), ::curl_easy_cleanup);
        const std::unique_ptr<curl_slist, void (*)(curl_slist*)> recipients(
            ::curl_slist_append(nullptr, one_line(mail.to).c_str()), ::curl_slist_free_all);
        if (!curl || !recipients) {
            return "out of memory";
        }
        Upload upload{text};
        char problem[CURL_ERROR_SIZE] = "";
        const std::string from = one_line(options_.from);
        ::curl_easy_setopt(curl.get(), CURLOPT_URL, options_.smtp_url.c_str());
        ::curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        ::curl_easy_setopt(curl.get(), CURLOPT_MAIL_FROM, from.c_str());
        ::curl_easy_setopt(curl.get(), CURLOPT_MAIL_RCPT, recipients.get());
        ::curl_easy_setopt(curl.get(), CURLOPT_UPLOAD, 1L);
        ::curl_easy_setopt(curl.get(), CURLOPT_READFUNCTION, read_upload);
        ::curl_easy_setopt(curl.get(), CURLOPT_READDATA, &upload);
        ::curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, smtp_timeout_s);
        ::curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
        ::curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, problem);
        ::curl_easy_setopt(curl.get(), CURLOPT_USE_SSL,
                           options_.smtp_require_tls ? static_cast<long>(CURLUSESSL_ALL)
                                                     : static_cast<long>(CURLUSESSL_TRY));
        ::curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
        ::curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, give_up_when_due);
        ::curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, this);
        if (!options_.smtp_user.empty()) {
            ::curl_easy_setopt(curl.get(), CURLOPT_USERNAME, options_.smtp_user.c_str());
            ::curl_easy_setopt(curl.get(), CURLOPT_PASSWORD, options_.smtp_password.c_str());
        }
        const CURLcode code = ::curl_easy_perform(curl.get());
        if (code == CURLE_OK) {
            return "";
        }
        return problem[0] != '\0' ? problem : ::curl_easy_strerror(code);
    }

    const MailerOptions options_;
    const server::Log& log_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Mail> waiting_;                           // guarded by mutex_
    bool sending_ = false;                               // guarded by mutex_
    bool stopping_ = false;                              // guarded by mutex_
    std::chrono::steady_clock::time_point give_up_at_{}; // guarded by mutex_; of stopping_
    std::thread thread_;
};

Result<std::unique_ptr<Mailer>> Mailer::create(const MailerOptions& options,
                                               const server::Log& log) {
    std::error_code error;
    std::filesystem::create_directories(options.outbox, error);
    if (error) {
        return Error(ErrorCode::io, "cannot make the mail outbox: " + error.message(),
                     options.outbox);
    }
    if (!options.smtp_url.empty() && !options.smtp_url.starts_with("smtp://") &&
        !options.smtp_url.starts_with("smtps://")) {
        return Error(ErrorCode::invalid_argument,
                     "the SMTP relay's address must start with smtp:// or smtps://",
                     options.smtp_url);
    }
    ::curl_global_init(CURL_GLOBAL_DEFAULT);
    return std::unique_ptr<Mailer>(new Mailer(std::make_unique<Impl>(options, log)));
}

Mailer::Mailer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Mailer::~Mailer() = default;
void Mailer::send(Mail mail) {
    impl_->send(std::move(mail));
}
void Mailer::flush() {
    impl_->flush();
}

} // namespace tombolo::auth
