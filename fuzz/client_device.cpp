// What a device's file holds: any bytes give an error or a device, which writes a file that reads
// as the same device. The input is the records of frames, each after its length in two bytes;
// checksums are put around them, so that the reader is reached. Input that begins with the magic is
// a file as it stands.

#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "client/device_log.hpp"

using namespace tombolo;
using namespace tombolo::client;

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

std::string little_endian(std::uint32_t value) {
    std::string out;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        out.push_back(static_cast<char>(value >> shift & 0xff));
    }
    return out;
}

std::uint32_t checksum(const std::string& bytes) {
    return static_cast<std::uint32_t>(
        ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

std::string as_file(std::string_view input) {
    if (input.starts_with(device_magic)) {
        return std::string(input);
    }
    std::string file = std::string(device_magic) + little_endian(device_format_version);
    while (input.size() >= 2) {
        const std::size_t wanted = static_cast<unsigned char>(input[0]) * std::size_t{256} +
                                   static_cast<unsigned char>(input[1]);
        input.remove_prefix(2);
        const std::string payload(input.substr(0, wanted));
        input.remove_prefix(payload.size());
        const std::string size = little_endian(static_cast<std::uint32_t>(payload.size()));
        file += size + little_endian(checksum(size)) + payload + little_endian(checksum(payload));
    }
    return file;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string file = as_file({reinterpret_cast<const char*>(data), size});
    auto read = read_device(as_bytes(file));
    if (!read) {
        return 0;
    }
    require(read->end <= file.size() && read->snapshot_end <= read->end);
    read->content.replica.discard_partial_bootstrap();
    const std::string written = write_device(read->content.settings, read->content.replica);
    const auto again = read_device(as_bytes(written));
    require(again.has_value());
    require(identical(again->content.replica.state(), read->content.replica.state()));
    require(write_device(again->content.settings, again->content.replica) == written);
    return 0;
}
