#include "support/certificate.hpp"

#include <cstdio>
#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace tombolo::testing {

namespace {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, Deleter<::EVP_PKEY_free>>;
using CertificatePointer = std::unique_ptr<X509, Deleter<::X509_free>>;
using FilePointer = std::unique_ptr<std::FILE, Deleter<::fclose>>;

} // namespace

void write_certificate(const TemporaryFolder& folder, const std::string& name) {
    const KeyPointer key(::EVP_EC_gen("P-256"));
    const CertificatePointer certificate(::X509_new());
    ::X509_set_version(certificate.get(), 2);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate.get()), 1);
    ::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), -3600);
    ::X509_gmtime_adj(::X509_getm_notAfter(certificate.get()), 24 * 3600);
    ::X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* subject = ::X509_get_subject_name(certificate.get());
    ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                 reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    ::X509_set_issuer_name(certificate.get(), subject);
    if (::X509_sign(certificate.get(), key.get(), ::EVP_sha256()) == 0) {
        throw std::runtime_error("cannot sign a certificate");
    }
    const FilePointer cert_file(std::fopen(folder.file("cert.pem").c_str(), "w"));
    ::PEM_write_X509(cert_file.get(), certificate.get());
    const FilePointer key_file(std::fopen(folder.file("key.pem").c_str(), "w"));
    ::PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
}

} // namespace tombolo::testing
