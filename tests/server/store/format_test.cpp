// A store that a newer server wrote is refused, and left as it is.

#include <memory>
#include <vector>

#include <rocksdb/db.h>

#include "server/store/embedded/layout.hpp"
#include "server/store/store_fixture.hpp"

namespace tombolo::store {

namespace {

/// Opens the files as they are and gives the catalog's "format" another number.
void set_format(const std::string& directory, std::uint64_t format) {
    std::vector<std::string> names;
    rocksdb::Options options;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies(options, directory, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) {
        families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, directory, families, &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> database(opened);
    std::string number;
    embedded::append_u64(number, format);
    for (rocksdb::ColumnFamilyHandle* each : handles) {
        if (each->GetName() == "catalog") {
            ASSERT_TRUE(database->Put(rocksdb::WriteOptions(), each, "format", number).ok());
        }
        ASSERT_TRUE(database->DestroyColumnFamilyHandle(each).ok());
    }
}

} // namespace

class StoreFormat : public StoreTest {};

TEST_F(StoreFormat, a_newer_one_is_refused_by_name_and_nothing_is_changed) {
    insert(document(1, "x", 5));
    const std::string directory = (folder_.path() / "store").string();
    store_.reset();
    set_format(directory, embedded::format_version + 1);

    EmbeddedOptions options;
    options.directory = directory;
    const auto refused = open_embedded(options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::unsupported);
    EXPECT_NE(refused.error().message().find("format " +
                                             std::to_string(embedded::format_version + 1) +
                                             ", written by a newer version of Tombolo"),
              std::string::npos)
        << refused.error().message();

    set_format(directory, embedded::format_version);
    open();
    EXPECT_TRUE(store_->snapshot()->find(people_, key_of(1)).value());
}

} // namespace tombolo::store
