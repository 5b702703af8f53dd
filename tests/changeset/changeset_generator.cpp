#include "changeset/changeset_generator.hpp"

#include <map>
#include <string>
#include <vector>

#include "changeset/builder.hpp"

namespace tombolo::changeset::test {

namespace {

constexpr std::string_view names[] = {"Foo", "Bar"};
constexpr std::string_view fields[] = {"v", "l", "d", "s"};
constexpr std::string_view entries[] = {"a", "b"};

class Generator {
  public:
    Generator(ByteSource& source, const GeneratorOptions& options)
        : source_(source), options_(options) {}

    Changeset run() {
        std::size_t count =
            source_.below(static_cast<std::uint32_t>(options_.instructions_max)) + 1;
        for (std::size_t i = 0; i < count && !source_.at_end(); ++i) {
            add();
        }
        return *builder_.finish();
    }

  private:
    std::string_view table() { return names[source_.below(16) == 0 ? 1 : 0]; }

    PrimaryKeyView key() {
        switch (source_.below(8)) {
        case 0:
            return std::string_view("k");
        case 1:
            return std::int64_t{2};
        case 2:
            return GlobalKey{1, 2};
        default:
            return std::int64_t{1};
        }
    }

    ScalarView scalar() {
        switch (source_.below(14)) {
        case 0:
            return std::monostate{};
        case 1:
            return source_.below(2) == 0;
        case 2:
            return std::string_view("aa");
        case 3:
            return std::string_view("bb");
        case 4:
            return BinaryView{as_bytes("aa")};
        case 5:
            return *Timestamp::make(-1, -static_cast<std::int32_t>(source_.below(2)));
        case 6:
            return source_.below(2) == 0 ? 0.0F : -0.0F;
        case 7:
            return source_.below(2) == 0 ? 0.5 : -0.0;
        case 8:
            return Decimal128{0x3040000000000000 - (std::uint64_t{source_.below(3)} << 49),
                              source_.below(3)};
        case 9:
            return LinkView{names[source_.below(2)], key()};
        case 10:
            return ObjectId{};
        case 11:
            return Uuid{};
        default:
            return std::int64_t{source_.below(3)};
        }
    }

    PayloadView payload(bool commands) {
        if (commands && source_.below(3) == 0) {
            constexpr PayloadType kinds[] = {PayloadType::list, PayloadType::dictionary,
                                             PayloadType::object_value, PayloadType::null};
            return kinds[source_.below(4)];
        }
        return scalar();
    }

    PathStep step() {
        if (source_.below(2) == 0) {
            return entries[source_.below(2)];
        }
        return source_.below(4);
    }

    Place place() {
        Place result{table(), key(), fields[source_.below(4)]};
        std::size_t depth = source_.below(4) == 0 ? source_.below(3) : 0;
        for (std::size_t i = 0; i < depth; ++i) {
            result.path.push_back(step());
        }
        return result;
    }

    static std::string container_of(const Place& place) {
        std::string text(place.table);
        text += tombolo::to_text(place.object);
        text += place.field;
        for (const PathStep& part : place.path) {
            text += part.name ? std::string(*part.name) : std::to_string(part.index);
            text += '/';
        }
        return text;
    }

    /// The size of the list at a place before the next edit.
    std::uint32_t& size_of(const Place& place) {
        return sizes_.try_emplace(container_of(place), 3).first->second;
    }

    std::uint32_t stated(std::uint32_t size) {
        bool wrong = options_.wrong_sizes && source_.below(64) == 0;
        return wrong ? size + source_.below(3) : size;
    }

    void edit_list() {
        Place list = place();
        std::uint32_t& size = size_of(list);
        std::uint32_t kind = source_.below(4);
        if (size == 0) {
            kind = 0;
        }
        Place element = list;
        std::uint32_t prior = stated(size);
        element.path.push_back(source_.below(kind == 0 ? size + 1 : size));
        if (kind == 0) {
            builder_.array_insert(element, payload(true), prior);
            ++size;
        } else if (kind == 1) {
            builder_.array_erase(element, prior);
            --size;
        } else if (kind == 2) {
            builder_.update_element(element, payload(true), prior);
        } else {
            std::uint32_t to = source_.below(size);
            if (to != element.path.back().index) {
                builder_.array_move(element, to, prior);
            }
        }
    }

    void update_value() {
        Place value = place();
        if (!value.path.empty() && !value.path.back().name) {
            value.path.push_back(entries[0]);
        }
        builder_.update(value, payload(true), value.path.empty() && source_.below(4) == 0);
    }

    void change_schema() {
        switch (source_.below(options_.schema_erasure ? 4 : 2)) {
        case 0:
            builder_.add_table(table(), TableKind::top_level, "_id", PayloadType::integer, false);
            break;
        case 1:
            if (source_.below(2) == 0) {
                builder_.add_column(table(), fields[source_.below(4)], {PayloadType::string});
            } else {
                builder_.add_column(
                    table(), fields[source_.below(4)],
                    {PayloadType::link, true, CollectionKind::dictionary, names[source_.below(2)]});
            }
            break;
        case 2:
            builder_.erase_table(table());
            break;
        default:
            builder_.erase_column(table(), fields[source_.below(4)]);
            break;
        }
    }

    void clear() {
        Place container = place();
        builder_.clear(container, static_cast<CollectionKind>(source_.below(4)));
        size_of(container) = 0;
    }

    void add() {
        switch (source_.below(16)) {
        case 0:
            builder_.create_object(table(), key());
            break;
        case 1:
            builder_.erase_object(table(), key());
            break;
        case 2:
        case 3:
        case 4:
            update_value();
            break;
        case 5:
            builder_.add_integer(place(), source_.below(5));
            break;
        case 6:
            clear();
            break;
        case 7:
            builder_.set_insert(place(), scalar());
            break;
        case 8:
            builder_.set_erase(place(), scalar());
            break;
        case 9:
            change_schema();
            break;
        default:
            edit_list();
            break;
        }
    }

    ByteSource& source_;
    const GeneratorOptions& options_;
    ChangesetBuilder builder_;
    std::map<std::string, std::uint32_t> sizes_;
};

} // namespace

Changeset make_changeset(ByteSource& source, const GeneratorOptions& options) {
    return Generator(source, options).run();
}

} // namespace tombolo::changeset::test
