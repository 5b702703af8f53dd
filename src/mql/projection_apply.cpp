// Projections: applying.

#include <algorithm>
#include <string>

#include "mql/projection.hpp"
#include "mql/projection_node.hpp"

namespace tombolo::mql {

namespace detail {

namespace {

class Projector {
  public:
    Projector(const ProjectionProgram& program, BsonDocumentView document,
              const EvaluationInput& input, const MatchDetails& details)
        : program_(program), document_(document), input_(input), details_(details) {}

    Result<BsonDocument> run() {
        BsonWriter writer;
        TOMBOLO_TRY_VOID(write_document(writer, document_, program_.root, true));
        BsonDocument out = std::move(writer).finish();
        TOMBOLO_TRY([[maybe_unused]] const auto view, BsonDocumentView::validate(out.bytes()));
        return out;
    }

  private:
    Result<void> write_document(BsonWriter& writer, BsonDocumentView document,
                                const ProjectionNode& node, bool top) {
        for (const BsonElement& element : document) {
            const ProjectionNode* child = node.find(element.key);
            if (child == nullptr) {
                if (!program_.inclusion || (top && element.key == "_id")) {
                    writer.append(element.key, element.value);
                }
                continue;
            }
            TOMBOLO_TRY_VOID(write_field(writer, element, *child));
        }
        return node.computes ? write_computed(writer, document, node) : Result<void>();
    }

    Result<void> write_field(BsonWriter& writer, const BsonElement& element,
                             const ProjectionNode& node) {
        switch (node.kind) {
        case ProjectionKind::include:
            writer.append(element.key, element.value);
            return {};
        case ProjectionKind::exclude:
        case ProjectionKind::compute:
            return {};
        case ProjectionKind::slice:
            write_slice(writer, element, node);
            return {};
        case ProjectionKind::elem_match:
            return write_elem_match(writer, element, node);
        case ProjectionKind::positional:
            return write_positional(writer, element);
        case ProjectionKind::descend:
            return write_below(writer, element.key, element.value, node);
        }
        return {};
    }

    Result<void> write_below(BsonWriter& writer, std::string_view key, BsonView value,
                             const ProjectionNode& node) {
        if (value.is_document()) {
            writer.begin_document(key);
            TOMBOLO_TRY_VOID(write_document(writer, value.as_document(), node, false));
            writer.end();
            return {};
        }
        if (value.is_array()) {
            writer.begin_array(key);
            for (const BsonElement& element : value.as_document()) {
                TOMBOLO_TRY_VOID(write_below(writer, {}, element.value, node));
            }
            writer.end();
            return {};
        }
        if (node.computes) {
            writer.begin_document(key);
            TOMBOLO_TRY_VOID(write_computed(writer, {}, node));
            writer.end();
        } else if (!program_.inclusion) {
            writer.append(key, value);
        }
        return {};
    }

    // What the document does not have yet: computed fields and the parents they need.
    Result<void> write_computed(BsonWriter& writer, BsonDocumentView document,
                                const ProjectionNode& node) {
        for (const ProjectionNode& child : node.children) {
            if (child.kind == ProjectionKind::compute) {
                TOMBOLO_TRY(const BsonValue value, child.expression->evaluate(document_, input_));
                writer.append(child.name, value);
            } else if (child.computes && document.find(child.name).is_missing()) {
                writer.begin_document(child.name);
                TOMBOLO_TRY_VOID(write_computed(writer, {}, child));
                writer.end();
            }
        }
        return {};
    }

    static void write_slice(BsonWriter& writer, const BsonElement& element,
                            const ProjectionNode& node) {
        if (!element.value.is_array()) {
            writer.append(element.key, element.value);
            return;
        }
        const BsonDocumentView array = element.value.as_document();
        const auto size = static_cast<std::int64_t>(array.count());
        std::int64_t first = node.skip.value_or(node.count < 0 ? node.count : 0);
        first = first < 0 ? std::max<std::int64_t>(size + std::max(first, -size), 0)
                          : std::min(first, size);
        const bool to_end = !node.skip && node.count < 0;
        const std::int64_t last = to_end ? size : first + std::min(node.count, size - first);
        writer.begin_array(element.key);
        std::int64_t index = 0;
        for (const BsonElement& member : array) {
            if (index >= first && index < last) {
                writer.append({}, member.value);
            }
            ++index;
        }
        writer.end();
    }

    Result<void> write_elem_match(BsonWriter& writer, const BsonElement& element,
                                  const ProjectionNode& node) {
        if (!element.value.is_array()) {
            return {};
        }
        BsonWriter wrapped;
        wrapped.append("", element.value);
        MatchDetails found;
        TOMBOLO_TRY(const bool matched,
                    node.filter->matches(std::move(wrapped).finish(), input_, &found));
        if (matched && found.array_index >= 0) {
            writer.begin_array(element.key);
            writer.append(
                {}, element.value.as_document().at(static_cast<std::size_t>(found.array_index)));
            writer.end();
        }
        return {};
    }

    Result<void> write_positional(BsonWriter& writer, const BsonElement& element) {
        if (!element.value.is_array()) {
            writer.append(element.key, element.value);
            return {};
        }
        const BsonView found =
            details_.array_index < 0
                ? BsonView()
                : element.value.as_document().at(static_cast<std::size_t>(details_.array_index));
        if (found.is_missing()) {
            return Error(ErrorCode::mql_failed,
                         "positional operator '.$' couldn't find a matching element in the array",
                         "field '" + std::string(element.key) + "'");
        }
        writer.begin_array(element.key);
        writer.append({}, found);
        writer.end();
        return {};
    }

    const ProjectionProgram& program_;
    BsonDocumentView document_;
    const EvaluationInput& input_;
    const MatchDetails& details_;
};

} // namespace

} // namespace detail

Result<BsonDocument> Projection::apply(BsonDocumentView document, const EvaluationInput& input,
                                       const MatchDetails& details) const {
    if (program_->root.children.empty()) {
        return BsonDocument(document);
    }
    return detail::Projector(*program_, document, input, details).run();
}

} // namespace tombolo::mql
