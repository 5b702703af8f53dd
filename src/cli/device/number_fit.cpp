#include "cli/device/number_fit.hpp"

#include <utility>

namespace tombolo::cli {

using changeset::ClassInfo;
using changeset::ClassSource;
using changeset::CollectionKind;
using changeset::ColumnInfo;
using changeset::PayloadType;
using mql::BsonDocumentView;
using mql::BsonElement;
using mql::BsonWriter;

namespace {

class Fitter {
  public:
    Fitter(BsonWriter& out, const ClassSource& classes) : out_(out), classes_(classes) {}

    // NOLINTNEXTLINE(misc-no-recursion): as deep as documents are, which limits bound
    void fields(BsonDocumentView document, const ClassInfo& info) {
        for (const BsonElement& element : document) {
            field(element, info.find_column(element.key));
        }
    }

  private:
    // NOLINTNEXTLINE(misc-no-recursion): as above
    void field(const BsonElement& element, const ColumnInfo* column) {
        const bool is_collection =
            column != nullptr && column->collection != CollectionKind::single;
        if (is_collection && element.value.is_container()) {
            if (element.value.is_array()) {
                out_.begin_array(element.key);
            } else {
                out_.begin_document(element.key);
            }
            for (const BsonElement& inner : element.value.as_document()) {
                slot(inner, *column);
            }
            out_.end();
        } else if (column != nullptr && !is_collection) {
            slot(element, *column);
        } else {
            out_.append(element.key, element.value);
        }
    }

    // NOLINTNEXTLINE(misc-no-recursion): as above
    void slot(const BsonElement& element, const ColumnInfo& column) {
        const bool is_real =
            column.type == PayloadType::float32 || column.type == PayloadType::float64;
        const ClassInfo* embedded =
            column.type == PayloadType::link ? classes_.find_class(column.target) : nullptr;
        std::int64_t whole = 0;
        if (is_real && element.value.is_number() && element.value.to_int64(whole)) {
            out_.append_double(element.key, static_cast<double>(whole));
        } else if (embedded != nullptr && embedded->kind == changeset::TableKind::embedded &&
                   element.value.is_document()) {
            out_.begin_document(element.key);
            fields(element.value.as_document(), *embedded);
            out_.end();
        } else {
            out_.append(element.key, element.value);
        }
    }

    BsonWriter& out_;
    const ClassSource& classes_;
};

} // namespace

mql::BsonDocument fit_numbers(BsonDocumentView document, const ClassInfo& info,
                              const ClassSource& classes) {
    BsonWriter out;
    Fitter(out, classes).fields(document, info);
    return std::move(out).finish();
}

} // namespace tombolo::cli
