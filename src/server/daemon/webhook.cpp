#include "server/daemon/webhook.hpp"

#include <memory>

#include <curl/curl.h>

namespace tombolo::server {

namespace {

constexpr long timeout_ms = 5000;

std::size_t ignore(char* /*data*/, std::size_t size, std::size_t count, void* /*state*/) {
    return size * count;
}

} // namespace

Result<void> Webhook::operator()(const std::string& json) const {
    const std::unique_ptr<CURL, void (*)(CURL*)> curl(::curl_easy_init(), ::curl_easy_cleanup);
    const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
        ::curl_slist_append(nullptr, "Content-Type: application/json"), ::curl_slist_free_all);
    char problem[CURL_ERROR_SIZE] = "";
    ::curl_easy_setopt(curl.get(), CURLOPT_URL, url_.c_str());
    ::curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
    ::curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);
    ::curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, timeout_ms);
    ::curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, json.c_str());
    ::curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(json.size()));
    ::curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
    ::curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, ignore);
    ::curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, problem);
    const CURLcode code = ::curl_easy_perform(curl.get());
    long status = 0;
    ::curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status < 200 || status > 299) {
        return Error(ErrorCode::unavailable, "the webhook did not take it",
                     problem[0] != '\0' ? problem : "HTTP status " + std::to_string(status));
    }
    return {};
}

} // namespace tombolo::server
