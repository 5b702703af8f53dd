#include "server/auth/mailer.hpp"

#include <filesystem>
#include <fstream>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/store/store_fixture.hpp"

namespace tombolo::auth {
namespace {

// Speaks just enough SMTP for one mail and keeps what it was told.
class SmtpListener {
  public:
    /// A listener that hangs takes the connection and says nothing until its end.
    explicit SmtpListener(bool hangs = false)
        : hangs_(hangs), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        ::listen(listener_, 1);
        socklen_t size = sizeof address;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~SmtpListener() {
        if (thread_.joinable()) {
            ::shutdown(listener_, SHUT_RDWR);
            thread_.join();
        }
        ::close(listener_);
    }

    /// The lines of the finished session.
    const std::vector<std::string>& lines() {
        thread_.join();
        return lines_;
    }

    std::uint16_t port = 0;

  private:
    void serve() {
        const int peer = ::accept(listener_, nullptr, nullptr);
        if (peer < 0) {
            return;
        }
        const auto say = [peer](std::string_view text) {
            static_cast<void>(::send(peer, text.data(), text.size(), MSG_NOSIGNAL));
        };
        if (!hangs_) {
            say("220 test\r\n");
        }
        std::string read;
        bool in_data = false;
        char buffer[4096];
        for (ssize_t count = 0; (count = ::recv(peer, buffer, sizeof buffer, 0)) > 0;) {
            read.append(buffer, static_cast<std::size_t>(count));
            for (std::size_t end = 0; (end = read.find("\r\n")) != std::string::npos;) {
                const std::string line = read.substr(0, end);
                read.erase(0, end + 2);
                lines_.push_back(line);
                if (in_data) {
                    in_data = line != ".";
                    say(in_data ? "" : "250 taken\r\n");
                } else if (line == "DATA") {
                    in_data = true;
                    say("354 go on\r\n");
                } else {
                    say(line == "QUIT" ? "221 bye\r\n" : "250 ok\r\n");
                }
            }
        }
        ::close(peer);
    }

    bool hangs_;
    int listener_;
    std::thread thread_;
    std::vector<std::string> lines_;
};

TEST(ComposeMail, has_its_headers_and_crlf_line_ends) {
    EXPECT_EQ(compose_mail({"a@example.com", "Hello", "one\ntwo\r\nthree\n"}, "b@example.com",
                           1'700'000'000, "id@host"),
              "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
              "From: b@example.com\r\n"
              "To: a@example.com\r\n"
              "Subject: Hello\r\n"
              "Message-ID: <id@host>\r\n"
              "MIME-Version: 1.0\r\n"
              "Content-Type: text/plain; charset=utf-8\r\n"
              "Content-Transfer-Encoding: 8bit\r\n"
              "\r\n"
              "one\r\ntwo\r\nthree\r\n");
}

TEST(ComposeMail, no_value_can_bring_another_header_along) {
    const std::string text = compose_mail({"a@b.c\r\nBcc: x@y.z", "Hi\nCc: x@y.z", "body"},
                                          "b@c.d\rReply-To: x@y.z", 0, "id@host");
    for (const char* header : {"\nBcc:", "\nCc:", "\nReply-To:", "\rReply-To:"}) {
        EXPECT_EQ(text.find(header), std::string::npos) << header;
    }
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 9);
}

TEST(ComposeMail, subject_beyond_ascii_is_encoded) {
    const std::string text = compose_mail({"a@b.c",
                                           "Gr\xc3\xbc\xc3\x9f"
                                           "e",
                                           ""},
                                          "b@c.d", 0, "id@host");
    EXPECT_NE(text.find("Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n"), std::string::npos);
}

TEST(Mailer, outbox_holds_whole_mails) {
    const store::TemporaryFolder folder;
    const auto log = server::Log::none();
    MailerOptions options;
    options.outbox = (folder.path() / "out" / "box").string();
    const auto mailer = Mailer::create(options, *log).value();
    for (int i = 0; i < 3; ++i) {
        mailer->send({"a@example.com", "Mail", "text"});
    }
    mailer->flush();
    int mails = 0;
    for (const auto& entry : std::filesystem::directory_iterator(options.outbox)) {
        EXPECT_EQ(entry.path().extension(), ".eml");
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(file)), {});
        EXPECT_TRUE(text.ends_with("\r\n\r\ntext"));
        ++mails;
    }
    EXPECT_EQ(mails, 3);
}

TEST(Mailer, relays_by_smtp_with_leading_dots_kept) {
    SmtpListener listener;
    const auto log = server::Log::none();
    const store::TemporaryFolder folder;
    MailerOptions options;
    options.outbox = folder.path().string();
    options.smtp_url = "smtp://127.0.0.1:" + std::to_string(listener.port);
    options.smtp_require_tls = false;
    options.from = "sender@example.com";
    const auto mailer = Mailer::create(options, *log).value();
    mailer->send({"a@example.com", "Hello", "first\n.hidden\n.\nlast\n"});
    mailer->flush();
    const auto& lines = listener.lines();
    const auto has = [&](const std::string& line) {
        return std::find(lines.begin(), lines.end(), line) != lines.end();
    };
    EXPECT_TRUE(has("MAIL FROM:<sender@example.com>"));
    EXPECT_TRUE(has("RCPT TO:<a@example.com>"));
    EXPECT_TRUE(has("Subject: Hello"));
    EXPECT_TRUE(has("..hidden"));
    EXPECT_TRUE(has("..")); // else the mail would end here
    EXPECT_TRUE(has("last"));
}

TEST(Mailer, mail_that_needs_tls_is_not_sent_without) {
    SmtpListener listener;
    const auto log = server::Log::none();
    const store::TemporaryFolder folder;
    MailerOptions options;
    options.outbox = folder.path().string();
    options.smtp_url = "smtp://127.0.0.1:" + std::to_string(listener.port);
    auto mailer = Mailer::create(options, *log).value();
    mailer->send({"a@example.com", "Hello", "secret link"});
    mailer.reset(); // gives up between the attempts
    for (const std::string& line : listener.lines()) {
        EXPECT_EQ(line.find("secret"), std::string::npos);
        EXPECT_EQ(line.find("RCPT"), std::string::npos);
    }
}

TEST(Mailer, what_a_hanging_relay_does_not_take_before_the_end_is_in_the_outbox) {
    SmtpListener listener(true);
    const store::TemporaryFolder folder;
    const auto log = server::Log::none();
    MailerOptions options;
    options.outbox = folder.path().string();
    options.smtp_url = "smtp://127.0.0.1:" + std::to_string(listener.port);
    options.stop_patience = std::chrono::milliseconds(0);
    auto mailer = Mailer::create(options, *log).value();
    mailer->send({"a@example.com", "First", "text"});
    mailer->send({"b@example.com", "Second", "text"});
    mailer.reset(); // returns although the relay never answers
    const auto files = std::filesystem::directory_iterator(options.outbox);
    EXPECT_EQ(std::distance(begin(files), end(files)), 2);
}

TEST(Mailer, wrong_relay_addresses_and_outboxes_are_errors) {
    const store::TemporaryFolder folder;
    const auto log = server::Log::none();
    MailerOptions options;
    options.smtp_url = "http://127.0.0.1";
    EXPECT_FALSE(Mailer::create(options, *log));
    options.smtp_url.clear();
    std::ofstream(folder.path() / "file") << "x";
    options.outbox = (folder.path() / "file" / "box").string();
    EXPECT_FALSE(Mailer::create(options, *log));
}

} // namespace
} // namespace tombolo::auth
