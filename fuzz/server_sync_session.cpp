// Live sync sessions against a real engine: the input is a script of messages on two connections,
// mostly well formed and in a sensible order, with wrong numbers, wrong order, raw bytes and lost
// connections in between.
//
// What must hold, whatever clients do: every message that is sent can be parsed and is one that
// published clients survive, no DOWNLOAD breaks the client's rules, and the engine goes on.
//
// One thread and a store in memory whose commits happen when they are asked for, so that an input
// always does the same. Each input has an app of its own in that store, which is
// made anew now and then.

#include <cstdint>
#include <cstdlib>
#include <map>

#include <rocksdb/env.h>

#include "changeset/builder.hpp"
#include "changeset/codec.hpp"
#include "protocol/body.hpp"
#include "server/store/embedded/embedded_store.hpp"
#include "server/sync/session/connection.hpp"
#include "support/manual_store.hpp"

namespace {

using namespace tombolo;
using namespace tombolo::server::sync;

constexpr std::uint32_t inputs_per_store = 2000;
constexpr int messages_max = 40;

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

SyncModel model(const std::string& database) {
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
    out.documents.places["T"] = {"mongodb-atlas", database, "T"};
    out.queryable.global.insert("q");
    out.data_source = "mongodb-atlas";
    out.database = database;
    return out;
}

struct MemoryStore {
    std::unique_ptr<rocksdb::Env> env{rocksdb::NewMemEnv(rocksdb::Env::Default())};
    std::unique_ptr<store::Store> store;
    std::uint32_t inputs = 0;

    MemoryStore() {
        store::EmbeddedOptions options;
        options.directory = "/fuzz";
        options.env = env.get();
        options.block_cache_bytes = std::size_t{1} << 20;
        options.write_buffer_bytes = std::size_t{64} << 20;
        store = store::open_embedded(options).value();
    }
};

// An engine of its own for each input.
class World final : public EngineHost {
  public:
    explicit World(MemoryStore& memory)
        : roles_(Role::allow_all()), random_(7), disk_(*memory.store) {
        const std::uint32_t number = memory.inputs++;
        EngineOptions options;
        for (std::size_t i = 0; i < 4; ++i) {
            options.app.bytes.at(i) = static_cast<std::byte>(number >> (8 * i));
        }
        options.model = model("app");
        options.download_bytes = 200; // several messages for what one could hold
        engine_ = open_engine(options, disk_, roles_, *this, clock_, random_).value();
        settle();
    }
    ~World() override {
        settle();
        engine_.reset();
        clear();
    }

    Engine& engine() { return *engine_; }
    void schedule() override { is_scheduled_ = true; }
    void settle() {
        while (is_scheduled_ || disk_.is_waiting()) {
            disk_.settle();
            if (std::exchange(is_scheduled_, false)) {
                engine_->run();
            }
        }
    }

  private:
    // The next input must not find what this one wrote.
    void clear() {
        const auto collection = *disk_.find_collection({"mongodb-atlas", "app", "T"});
        store::Transaction transaction;
        const auto snapshot = disk_.snapshot();
        const auto cursor = snapshot->scan(collection);
        while (cursor->next()) {
            transaction.erase(collection, std::string(cursor->key()));
        }
        if (!transaction.empty() && !disk_.commit(std::move(transaction))) {
            std::abort();
        }
    }

    FixedRole roles_;
    ManualClock clock_;
    SeededRandom random_;
    testing::ManualStore disk_;
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

    // What a client keeps over a lost connection.
    protocol::SaltedFileIdent file;
    protocol::SyncProgress progress;
    std::uint64_t client_version = 1;
    std::int64_t query_version = 0;
    std::uint64_t mark = 0;
};

std::vector<std::byte> changeset_of(Bytes& bytes) {
    changeset::ChangesetBuilder builder;
    const unsigned count = 1 + bytes.next() % 4U;
    for (unsigned i = 0; i < count; ++i) {
        const auto key = static_cast<std::int64_t>(bytes.next() % 3U);
        const std::uint8_t value = bytes.next();
        switch (bytes.next() % 6U) {
        case 0:
            builder.create_object("T", key);
            builder.update({"T", key, "q"}, std::int64_t{value % 4});
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
        case 4:
            builder.array_erase({"T", key, "l", {value % 3U}}, value % 4U);
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

protocol::MessageBytes encode(const protocol::ClientMessage& message) {
    const auto encoded = protocol::encode_client_message(message, {});
    return encoded ? *encoded : protocol::MessageBytes();
}

protocol::MessageBytes ident_of(Bytes& bytes, const Client& client,
                                protocol::SessionIdent session) {
    protocol::ClientIdent message;
    message.session = session;
    message.file = client.file;
    const std::uint8_t how = bytes.next();
    if (how % 8U != 0) {
        message.scan = client.progress.download;
        message.latest = client.progress.latest;
    }
    if (how % 16U == 1) {
        message.scan.server.value += how;
    }
    message.query_version.value = how % 3U == 0 ? how % 4 : client.query_version;
    message.query_body = queries[bytes.next() % std::size(queries)];
    return encode(message);
}

protocol::MessageBytes upload_of(Bytes& bytes, Client& client, protocol::SessionIdent session) {
    protocol::Upload message;
    message.session = session;
    const std::uint8_t how = bytes.next();
    client.client_version += 1 + how % 3U;
    const std::uint64_t top = client.progress.download.server.value;
    const std::uint64_t base = top - std::min<std::uint64_t>(top, how % 4U);
    std::vector<std::byte> body;
    if (how % 8U != 7) {
        const std::vector<std::byte> changeset = changeset_of(bytes);
        append_entry(body, protocol::UploadEntry{{client.client_version - (how % 32U == 8 ? 2 : 0)},
                                                 {base},
                                                 1'000U + bytes.next(),
                                                 {},
                                                 changeset});
    }
    message.progress = {{client.client_version}, {base}};
    message.locked = client.progress.download.server;
    message.body = protocol::Body::plain(body);
    return encode(message);
}

// The next message of the script.
protocol::MessageBytes message_of(std::uint8_t what, Bytes& bytes, Client& client) {
    const protocol::SessionIdent session{what % 32U == 31 ? 2U : 1U};
    switch (what / 2 % 12U) {
    case 0: {
        protocol::Bind message;
        message.session = session;
        message.needs_file_ident = bytes.next() % 8U == 0 || client.file.ident.value == 0;
        message.data = protocol::FlexibleBind();
        return encode(message);
    }
    case 1:
        return ident_of(bytes, client, session);
    case 2:
    case 3: {
        const std::uint8_t how = bytes.next();
        client.query_version += how % 16U == 0 ? 0 : 1;
        return encode(protocol::Query{
            session, {client.query_version}, queries[how / 16U % std::size(queries)]});
    }
    case 4:
        return encode(protocol::Mark{session, {++client.mark}});
    case 9:
        return encode(protocol::Unbind{session});
    case 10: {
        protocol::ClientError message;
        message.session = session;
        message.code = bytes.next() % 2U == 0 ? 212 : 201;
        message.message = "m";
        return encode(message);
    }
    case 11: {
        const ByteView raw = bytes.take(bytes.next());
        return {raw.begin(), raw.end()};
    }
    default:
        return upload_of(bytes, client, session);
    }
}

// A device: its connection, and what it keeps when it is lost.
class Device {
  public:
    explicit Device(World& world) : world_(world) {}
    ~Device() { drop(); }
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    void act(std::uint8_t what, Bytes& bytes) {
        if (what >= 0xf0) {
            drop();
        }
        if (connection_ != nullptr && connection_->is_over()) {
            drop();
        }
        if (connection_ == nullptr) {
            open(what % 16U != 15);
        }
        if (!connection_->is_over() && connection_->takes_input()) {
            connection_->receive(message_of(what, bytes, *client_));
        }
    }
    void pump() {
        while (connection_ != nullptr && connection_->pump()) {
        }
    }

  private:
    // As published clients begin, or without a word.
    void open(bool with_greeting) {
        ConnectionSetup setup{world_.engine(), counters(), log(), "fuzz", "user", "id", {}, {}};
        connection_ = std::make_unique<Connection>(std::move(setup), *client_, client_);
        if (!with_greeting) {
            return;
        }
        protocol::Bind bind;
        bind.session = {1};
        bind.needs_file_ident = client_->file.ident.value == 0;
        bind.data = protocol::FlexibleBind();
        connection_->receive(encode(bind));
        world_.settle();
        pump();
        protocol::ClientIdent ident;
        ident.session = {1};
        ident.file = client_->file;
        ident.scan = client_->progress.download;
        ident.latest = client_->progress.latest;
        ident.query_version.value = client_->query_version;
        ident.query_body = queries[1];
        connection_->receive(encode(ident));
    }
    void drop() {
        if (connection_ != nullptr) {
            connection_->end();
            connection_.reset();
        }
    }
    static Counters& counters() {
        static Counters counted;
        return counted;
    }
    static const server::Log& log() {
        static const auto silent = server::Log::none();
        return *silent;
    }

    World& world_;
    std::shared_ptr<Client> client_ = std::make_shared<Client>();
    std::unique_ptr<Connection> connection_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Made at once: what the database keeps in statics of its own must outlive it.
    static std::unique_ptr<MemoryStore> memory = std::make_unique<MemoryStore>();
    if (memory->inputs == inputs_per_store) {
        memory.reset();
        memory = std::make_unique<MemoryStore>();
    }
    Bytes bytes(ByteView(reinterpret_cast<const std::byte*>(data), size));
    World world(*memory);
    Device devices[2] = {Device(world), Device(world)};
    for (int count = 0; !bytes.empty() && count < messages_max; ++count) {
        const std::uint8_t what = bytes.next();
        devices[what % 2].act(what, bytes);
        // Every fourth message waits for the next one: several in a batch.
        if (what % 8U < 6) {
            world.settle();
            devices[0].pump();
            devices[1].pump();
        }
    }
    world.settle();
    return 0;
}
