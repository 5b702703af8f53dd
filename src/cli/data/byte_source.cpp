#include "cli/data/byte_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>

namespace tombolo::cli {

namespace {

constexpr unsigned read_bytes = 256U * 1024;

class FileSource final : public ByteSource {
  public:
    FileSource(gzFile file, std::string path, std::uint64_t size)
        : file_(file), path_(std::move(path)), size_(size) {}
    ~FileSource() override { ::gzclose(file_); }
    FileSource(const FileSource&) = delete;
    FileSource& operator=(const FileSource&) = delete;

    Result<bool> read(std::string& into) override {
        const std::size_t before = into.size();
        into.resize(before + read_bytes);
        const int count = ::gzread(file_, into.data() + before, read_bytes);
        into.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
        int code = Z_OK;
        const char* what = ::gzerror(file_, &code);
        if (count < 0 || code == Z_BUF_ERROR) {
            const std::string reason = code == Z_ERRNO       ? std::strerror(errno)
                                       : code == Z_BUF_ERROR ? "the gzip data ends in the middle"
                                                             : what;
            return Error(ErrorCode::io, "cannot read the file: " + reason, path_);
        }
        return count > 0;
    }

    std::uint64_t position() const override {
        const z_off_t at = ::gzoffset(file_);
        return at > 0 ? static_cast<std::uint64_t>(at) : 0;
    }
    std::uint64_t size() const override { return size_; }

  private:
    gzFile file_;
    std::string path_;
    std::uint64_t size_;
};

class MemorySource final : public ByteSource {
  public:
    MemorySource(std::string_view text, std::size_t piece) : text_(text), piece_(piece) {}

    Result<bool> read(std::string& into) override {
        const std::string_view part = text_.substr(at_, piece_);
        into += part;
        at_ += part.size();
        return !part.empty();
    }
    std::uint64_t position() const override { return at_; }
    std::uint64_t size() const override { return text_.size(); }

  private:
    std::string_view text_;
    std::size_t piece_;
    std::size_t at_ = 0;
};

} // namespace

Result<std::unique_ptr<ByteSource>> open_file(const std::string& path) {
    const bool standard_input = path == "-";
    const int descriptor =
        standard_input ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat facts {};
    if (descriptor < 0 || ::fstat(descriptor, &facts) != 0) {
        const ErrorCode code = errno == ENOENT ? ErrorCode::not_found : ErrorCode::io;
        return Error(code, std::string("cannot open the file: ") + std::strerror(errno), path);
    }
    if (S_ISDIR(facts.st_mode)) {
        ::close(descriptor);
        return Error(ErrorCode::invalid_argument, "this is a directory, not a file", path);
    }
    gzFile file = ::gzdopen(descriptor, "rb");
    if (file == nullptr) {
        ::close(descriptor);
        return Error(ErrorCode::io, "cannot read the file", path);
    }
    ::gzbuffer(file, read_bytes);
    const bool regular = S_ISREG(facts.st_mode);
    return std::unique_ptr<ByteSource>(std::make_unique<FileSource>(
        file, path, regular ? static_cast<std::uint64_t>(facts.st_size) : 0));
}

std::unique_ptr<ByteSource> memory_source(std::string_view text, std::size_t piece) {
    return std::make_unique<MemorySource>(text, piece);
}

} // namespace tombolo::cli
