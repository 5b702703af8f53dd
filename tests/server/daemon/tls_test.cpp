// tombolod over TLS: it starts with a certificate and takes a new one at SIGHUP.

#include <signal.h>

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "server/daemon/tombolod_process.hpp"
#include "support/certificate.hpp"
#include "support/temporary_folder.hpp"

namespace tombolo::server {
namespace {

using ::testing::HasSubstr;
using testing::write_certificate;

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using CertificatePointer = std::unique_ptr<X509, Deleter<::X509_free>>;
using ContextPointer = std::unique_ptr<SSL_CTX, Deleter<::SSL_CTX_free>>;
using ConnectionPointer = std::unique_ptr<BIO, Deleter<::BIO_free_all>>;

struct Seen {
    std::string common_name;
    std::string protocol;
    std::string answer;
};

// One request over a new TLS connection; an empty result when it could not be made.
Seen ask(std::uint16_t port, int newest_protocol = 0) {
    const ContextPointer context(::SSL_CTX_new(::TLS_client_method()));
    ::SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    ::SSL_CTX_set_max_proto_version(context.get(), newest_protocol);
    const ConnectionPointer connection(::BIO_new_ssl_connect(context.get()));
    ::BIO_set_conn_hostname(connection.get(), ("127.0.0.1:" + std::to_string(port)).c_str());
    Seen seen;
    if (::BIO_do_connect(connection.get()) != 1) {
        return seen;
    }
    SSL* ssl = nullptr;
    ::BIO_get_ssl(connection.get(), &ssl);
    const CertificatePointer certificate(::SSL_get1_peer_certificate(ssl));
    char name[64] = {};
    ::X509_NAME_get_text_by_NID(::X509_get_subject_name(certificate.get()), NID_commonName, name,
                                sizeof name);
    seen.common_name = name;
    seen.protocol = ::SSL_get_version(ssl);
    const std::string request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    ::BIO_write(connection.get(), request.data(), static_cast<int>(request.size()));
    char buffer[2048];
    for (int count = 0; (count = ::BIO_read(connection.get(), buffer, sizeof buffer)) > 0;) {
        seen.answer.append(buffer, static_cast<std::size_t>(count));
    }
    return seen;
}

class Tls : public ::testing::Test {
  protected:
    std::vector<std::string> arguments() const {
        return {"--data",     folder_.file("data"),     "--listen",  "127.0.0.1:0",
                "--tls-cert", folder_.file("cert.pem"), "--tls-key", folder_.file("key.pem")};
    }

    TemporaryFolder folder_;
};

TEST_F(Tls, serves_https_and_takes_a_new_certificate_at_sighup) {
    write_certificate(folder_, "first.example");
    Tombolod server(arguments(), folder_.file("output"));
    ASSERT_TRUE(server.wait_ready()) << server.output();
    EXPECT_THAT(server.output(), HasSubstr("https://127.0.0.1:"));
    const Seen first = ask(server.port());
    EXPECT_EQ(first.common_name, "first.example");
    EXPECT_EQ(first.protocol, "TLSv1.3");
    EXPECT_THAT(first.answer, HasSubstr("HTTP/1.1 200"));

    write_certificate(folder_, "second.example");
    server.signal(SIGHUP);
    ASSERT_TRUE(server.wait_for("reloaded certificates"));
    EXPECT_EQ(ask(server.port()).common_name, "second.example");

    folder_.write("cert.pem", "not a certificate");
    server.signal(SIGHUP);
    ASSERT_TRUE(server.wait_for("not reloaded"));
    EXPECT_EQ(ask(server.port()).common_name, "second.example");
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), 0);
}

TEST_F(Tls, old_protocols_are_refused) {
    write_certificate(folder_, "h");
    Tombolod server(arguments(), folder_.file("output"));
    ASSERT_TRUE(server.wait_ready()) << server.output();
    EXPECT_EQ(ask(server.port(), TLS1_2_VERSION).protocol, "TLSv1.2");
    EXPECT_EQ(ask(server.port(), TLS1_1_VERSION).protocol, "");
}

TEST_F(Tls, key_of_another_certificate_is_refused) {
    write_certificate(folder_, "a");
    const std::string key = read_file(folder_.file("key.pem"));
    write_certificate(folder_, "b");
    folder_.write("key.pem", key);
    Tombolod server(arguments(), folder_.file("output"));
    EXPECT_EQ(server.wait_exit(), 1);
    EXPECT_THAT(server.output(), HasSubstr("key.pem"));
}

} // namespace
} // namespace tombolo::server
