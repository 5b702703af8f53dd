#pragma once

// Devices of `tombolo sync` against a real tombolod that serves examples/field-notes.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cli/command_process.hpp"

namespace tombolo::cli {

class Devices : public testing::Test {
  protected:
    Devices() : here_({"--app", std::string(TOMBOLO_SOURCE) + "/examples/field-notes"}) {
        here_.command().set_environment("TOMBOLO_URL", here_.url());
    }

    std::string path(const std::string& device) const { return here_.folder().file(device); }

    Output sync(const std::string& device, const std::string& command,
                std::vector<std::string> words = {}, const std::string& input = {}) {
        words.insert(words.begin(), {"sync", command, "--device", path(device)});
        return here_.run(words, input);
    }

    /// A new user with a device that holds the notes of Iceland; the user's id.
    std::string make_device(const std::string& device) {
        const Output made = sync(device, "sign-in", {"--app", "field-notes-tmblo", "--json"});
        EXPECT_EQ(made.code, 0) << made.err;
        const Output subscribed = sync(device, "subscribe", {"Note", "country == \"IS\""});
        EXPECT_EQ(subscribed.code, 0) << subscribed.err;
        return std::string(made.object().at("user_id").as_string());
    }

    Output insert(const std::string& device, const std::string& author, const std::string& text,
                  const std::vector<std::string>& more = {}) {
        std::vector<std::string> words = {"Note", R"({"country": "IS", "author": ")" + author +
                                                      R"(", "text": ")" + text +
                                                      R"(", "tags": ["a"], "visits": 0})"};
        words.insert(words.end(), more.begin(), more.end());
        return sync(device, "insert", words);
    }

    /// The only note of a device.
    std::string only_note(const std::string& device) {
        const auto notes = sync(device, "show", {"Note", "--json"}).objects();
        EXPECT_EQ(notes.size(), 1U);
        return notes.empty() ? ""
                             : std::string(notes[0].at("_id").as_object().at("$oid").as_string());
    }

    Installation here_;
};

} // namespace tombolo::cli
