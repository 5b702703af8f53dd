// A live sync session against a real engine and store: the input is a script of messages, mostly
// well formed and in a sensible order, with wrong numbers, wrong order and raw bytes in between.
//
// What must hold, whatever a client does: every message that is sent can be parsed and is one that
// published clients survive, no DOWNLOAD breaks the client's rules, and the engine goes on.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>

#include "changeset/builder.hpp"
#include "changeset/codec.hpp"
#include "protocol/body.hpp"
#include "server/store/embedded/embedded_store.hpp"
#include "server/sync/session/connection.hpp"

namespace {

using namespace tombolo;
using namespace tombolo::server::sync;

constexpr int inputs_per_world = 500;

class Bytes {
  public:
    explicit Bytes(ByteView bytes) : bytes_(bytes) {}
    bool empty() const { return bytes_.empty(); }
    std::uint8_t next() {
        if (bytes_.empty()) {
            return 0;
        }
        const auto value = std::to_integer<std::uint8_t>(bytes_.front());
        bytes_ = bytes_.subspan(1);
        return value;
    }
    ByteView take(std::size_t count) {
        const ByteView out = bytes_.first(std::min(count, bytes_.size()));
        bytes_ = bytes_.subspan(out.size());
        return out;
    }

  private:
    ByteView bytes_;
};

SyncModel model() {
    schema::Property id;
    id.name = "_id";
    id.type = schema::PropertyType::integer;
    id.primary_key = true;
    schema::Property q;
    q.name = "q";
    q.type = schema::PropertyType::integer;
    q.nullable = true;
    schema::Property list;
    list.name = "l";
    list.type = schema::PropertyType::integer;
    list.collection = schema::CollectionKind::list;
    SyncModel out;
    out.documents.schema.add(schema::ClassSchema("T", schema::ClassKind::top_level, {id, q, list}));
    out.documents.places["T"] = {"mongodb-atlas", "app", "T"};
    out.queryable.global.insert("q");
    out.data_source = "mongodb-atlas";
    out.database = "app";
    return out;
}

// Engine, store and what runs them; made anew now and then, so that history stays short.
class World final : public EngineHost {
  public:
    World() : roles_(Role::allow_all()), random_(7) {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "tombolo-fuzz-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            std::abort();
        }
        folder_ = pattern;
        store::EmbeddedOptions options;
        options.directory = (folder_ / "store").string();
        store_ = store::open_embedded(options).value();
        EngineOptions engine;
        engine.app = ObjectId::parse("64f0a1b2c3d4e5f601234567").value();
        engine.model = model();
        engine_ = open_engine(engine, *store_, roles_, *this, clock_, random_).value();
        settle();
    }
    ~World() override {
        engine_.reset();
        store_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    Engine& engine() { return *engine_; }
    void schedule() override {
        const std::lock_guard lock(mutex_);
        is_scheduled_ = true;
        changed_.notify_all();
    }
    // Runs the engine until it asks for nothing for a while.
    void settle() {
        std::unique_lock lock(mutex_);
        while (changed_.wait_for(lock, std::chrono::milliseconds(3),
                                 [this] { return is_scheduled_; })) {
            is_scheduled_ = false;
            lock.unlock();
            engine_->run();
            lock.lock();
        }
    }

  private:
    std::filesystem::path folder_;
    FixedRole roles_;
    ManualClock clock_;
    SeededRandom random_;
    std::unique_ptr<store::Store> store_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_scheduled_ = false;
    std::unique_ptr<Engine> engine_;
};

// Reads what the server says, as a client would.
class Client final : public Outlet, public Waker {
  public:
    void send(protocol::MessageBytes message) override {
        const auto parsed = protocol::parse_server_message(message, {});
        if (!parsed) {
            std::abort();
        }
        if (const auto* ident = std::get_if<protocol::ServerIdent>(&*parsed)) {
            file = ident->file;
        } else if (const auto* download = std::get_if<protocol::Download>(&*parsed)) {
            progress = download->progress;
        } else if (const auto* error = std::get_if<protocol::JsonError>(&*parsed)) {
            if (error->body.message == "internal error") {
                std::abort(); // a DOWNLOAD that had to be held back
            }
        }
    }
    void close(std::uint16_t /*code*/, std::string_view /*reason*/) override {}
    bool has_room() const noexcept override { return true; }
    void wake() override {}

    protocol::SaltedFileIdent file;
    protocol::SyncProgress progress;
    std::uint64_t client_version = 1;
};

std::vector<std::byte> changeset_of(Bytes& bytes) {
    changeset::ChangesetBuilder builder;
    const unsigned count = 1 + bytes.next() % 4U;
    for (unsigned i = 0; i < count; ++i) {
        const auto key = static_cast<std::int64_t>(bytes.next() % 3U);
        const std::uint8_t value = bytes.next();
        switch (bytes.next() % 5U) {
        case 0:
            builder.create_object("T", key);
            builder.update({"T", key, "q"}, std::int64_t{value});
            break;
        case 1:
            builder.erase_object("T", key);
            break;
        case 2:
            builder.add_integer({"T", key, "q"}, value);
            break;
        case 3:
            builder.array_insert({"T", key, "l", {value % 3U}}, std::int64_t{value}, value % 4U);
            break;
        default:
            builder.update({"T", key, "q"}, std::int64_t{value % 4U});
        }
    }
    const auto finished = builder.finish();
    return finished ? changeset::encode(*finished) : std::vector<std::byte>();
}

constexpr std::string_view queries[] = {"{}",
                                        R"j({"T":"(TRUEPREDICATE)"})j",
                                        R"j({"T":"(q == 1)"})j",
                                        R"j({"T":"(q > 1) OR (q == 0)"})j",
                                        R"j({"T":"(l == 1)"})j",
                                        R"j({"N":"(TRUEPREDICATE)"})j",
                                        "[",
                                        R"j({"T":7})j"};

// The next message of the script.
protocol::MessageBytes message_of(Bytes& bytes, Client& client) {
    const std::uint8_t what = bytes.next();
    const protocol::SessionIdent session{1 + bytes.next() % 2U};
    const auto encode = [](const protocol::ClientMessage& message) {
        const auto encoded = protocol::encode_client_message(message, {});
        return encoded ? *encoded : protocol::MessageBytes();
    };
    switch (what % 12U) {
    case 0:
    case 1: {
        protocol::Bind message;
        message.session = session;
        message.needs_file_ident = bytes.next() % 4U != 0;
        message.data = protocol::FlexibleBind();
        return encode(message);
    }
    case 2:
    case 3: {
        protocol::ClientIdent message;
        message.session = session;
        message.file = client.file;
        const bool is_new = bytes.next() % 2U == 0;
        if (!is_new) {
            message.scan = client.progress.download;
            message.latest = client.progress.latest;
        }
        if (const std::uint8_t wrong = bytes.next(); wrong % 8U == 0) {
            message.scan.server.value += wrong;
        }
        message.query_version.value = bytes.next() % 4;
        message.query_body = queries[bytes.next() % std::size(queries)];
        return encode(message);
    }
    case 4:
    case 5:
        return encode(protocol::Query{
            session, {bytes.next() % 16}, queries[bytes.next() % std::size(queries)]});
    case 6:
        return encode(protocol::Mark{session, {bytes.next()}});
    case 7:
    case 8: {
        protocol::Upload message;
        message.session = session;
        client.client_version += bytes.next() % 3U;
        const std::uint64_t base =
            client.progress.download.server.value -
            bytes.next() % 2U * std::min<std::uint64_t>(client.progress.download.server.value, 1);
        const std::vector<std::byte> changeset = changeset_of(bytes);
        std::vector<std::byte> body;
        append_entry(body,
                     protocol::UploadEntry{
                         {client.client_version}, {base}, 1'000U + bytes.next(), {}, changeset});
        message.progress = {{client.client_version}, {base}};
        message.locked = client.progress.download.server;
        message.body = protocol::Body::plain(body);
        return encode(message);
    }
    case 9:
        return encode(protocol::Unbind{session});
    case 10: {
        protocol::ClientError message;
        message.session = session;
        message.code = 212;
        message.message = "m";
        return encode(message);
    }
    default: {
        const ByteView raw = bytes.take(bytes.next());
        return {raw.begin(), raw.end()};
    }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static int inputs = 0;
    static Counters counters;
    static const auto log = server::Log::none();
    // Made at once: what the database keeps in statics of its own must outlive it.
    static std::unique_ptr<World> world = std::make_unique<World>();
    if (++inputs % inputs_per_world == 0) {
        world.reset();
        world = std::make_unique<World>();
    }
    Bytes bytes(ByteView(reinterpret_cast<const std::byte*>(data), size));
    const auto client = std::make_shared<Client>();
    ConnectionSetup setup{world->engine(), counters, *log, "fuzz", "user", "id", {}, {}};
    Connection connection(std::move(setup), *client, client);
    for (int count = 0; !bytes.empty() && count < 40 && !connection.is_over(); ++count) {
        connection.receive(message_of(bytes, *client));
        world->settle();
        while (connection.pump()) {
        }
    }
    connection.end();
    world->settle();
    return 0;
}
