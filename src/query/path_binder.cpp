// Key paths (database-and-sdk.md 3.2).

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "core/limits.hpp"
#include "query/bind_context.hpp"

namespace tombolo::query {
namespace {

using schema::ClassSchema;
using schema::CollectionKind;
using schema::Property;
using schema::PropertyType;
using syntax::ElementKind;
using syntax::PathElement;

constexpr std::size_t substitutions_max = 50;

bool is_length(std::string_view name) noexcept {
    constexpr std::string_view length = "length";
    return std::equal(name.begin(), name.end(), length.begin(), length.end(), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b;
    });
}

bool has_size(PropertyType type) noexcept {
    return type == PropertyType::string || type == PropertyType::binary ||
           type == PropertyType::mixed;
}

class PathBinder {
  public:
    PathBinder(BindContext& context, const Scope& scope, PathUse use)
        : context_(context), scope_(scope), use_(use) {}

    Result<Path> bind(const syntax::Path& path);

  private:
    bool done() const noexcept { return elements_.empty(); }
    bool next_is(ElementKind kind) const noexcept {
        return !done() && elements_.back().kind == kind;
    }
    PathElement take() {
        PathElement element = std::move(elements_.back());
        elements_.pop_back();
        position_ = element.position;
        return element;
    }
    Error invalid(std::string_view what) const { return context_.invalid(position_, what); }
    std::string place(const Property& property) const {
        return fmt::format("'{}.{}'", property_class_->name(), property.name);
    }

    Result<void> expand_path_argument();
    Result<void> prepend(std::string_view dotted, syntax::Position position);
    Result<void> expand_aliases(const ClassSchema& object_class);
    Result<void> bind_object(const ClassSchema& object_class);
    Result<void> bind_backlinks();
    Result<void> bind_property(const ClassSchema& object_class, const Property& property);
    Result<void> bind_to_one(const Property& property);
    Result<void> bind_list(const Property& property);
    Result<void> bind_list_element(const Property& property);
    Result<void> bind_dictionary(const Property& property);
    Result<void> bind_mixed();
    Result<void> bind_element_end(const Property& property);
    Result<void> end_at_collection(const Property& property);
    Result<void> end_at_scalar(PropertyType type, std::string_view where);
    void end_at_objects(const ClassSchema& object_class);
    Result<Step> index_step(PathElement element);
    Step& push(StepKind kind);
    void follow(const ClassSchema& target);
    const ClassSchema* class_of(std::string_view name) const { return context_.schema.find(name); }

    BindContext& context_;
    const Scope& scope_;
    PathUse use_;
    std::vector<PathElement> elements_; ///< what is left, last one first
    syntax::Position position_;
    Path path_;
    const ClassSchema* property_class_ = nullptr;
    std::size_t substitutions_ = 0;
};

Step& PathBinder::push(StepKind kind) {
    Step step;
    step.kind = kind;
    path_.steps.push_back(std::move(step));
    path_.many = path_.many || kind == StepKind::elements || kind == StepKind::all ||
                 kind == StepKind::keys || kind == StepKind::backlinks;
    return path_.steps.back();
}

void PathBinder::follow(const ClassSchema& target) {
    push(StepKind::follow).object_class = &target;
}

Result<Path> PathBinder::bind(const syntax::Path& path) {
    elements_.assign(path.elements.rbegin(), path.elements.rend());
    path_.start = scope_.object_class;
    if (next_is(ElementKind::path_argument)) {
        TOMBOLO_TRY_VOID(expand_path_argument());
    }
    if (!scope_.variable.empty() && next_is(ElementKind::name) &&
        elements_.back().text == scope_.variable) {
        take();
        if (done()) {
            end_at_objects(*scope_.object_class);
            return std::move(path_);
        }
    }
    TOMBOLO_TRY_VOID(bind_object(*scope_.object_class));
    if (scope_.outer == nullptr && !path_.steps.empty() &&
        path_.steps.front().kind == StepKind::property) {
        auto& roots = context_.root_properties;
        const auto found = std::find(roots.begin(), roots.end(), path_.steps.front().property);
        path_.steps.front().slot = static_cast<int>(found - roots.begin());
        if (found == roots.end()) {
            roots.push_back(path_.steps.front().property);
        }
    }
    return std::move(path_);
}

Result<void> PathBinder::expand_path_argument() {
    const PathElement element = take();
    TOMBOLO_TRY(const Argument* argument, context_.argument(element.text, element.position));
    const Value* value = std::get_if<Value>(argument);
    const std::string* text = value ? value->get_if<std::string>() : nullptr;
    if (!text) {
        return invalid(fmt::format("argument $K{} must be a string with a key path", element.text));
    }
    return prepend(*text, element.position);
}

/// Puts the names of a dotted path before what is left.
Result<void> PathBinder::prepend(std::string_view dotted, syntax::Position position) {
    std::vector<PathElement> parts;
    while (true) {
        const std::size_t dot = std::min(dotted.find('.'), dotted.size());
        if (elements_.size() + parts.size() >= limits::query_depth_max) {
            return invalid("the key path has too many elements");
        }
        PathElement part;
        part.text = dotted.substr(0, dot);
        part.position = position;
        parts.push_back(std::move(part));
        if (dot == dotted.size()) {
            break;
        }
        dotted.remove_prefix(dot + 1);
    }
    elements_.insert(elements_.end(), parts.rbegin(), parts.rend());
    return {};
}

/// Replaces the next element while the alias table has it for this class.
Result<void> PathBinder::expand_aliases(const ClassSchema& object_class) {
    if (!context_.options.aliases) {
        return {};
    }
    while (next_is(ElementKind::name)) {
        const auto found =
            context_.options.aliases->find({object_class.name(), elements_.back().text});
        if (found == context_.options.aliases->end()) {
            return {};
        }
        const PathElement element = take();
        if (++substitutions_ > substitutions_max) {
            return invalid(
                fmt::format("substitution loop while resolving the alias '{}' of class '{}'",
                            element.text, object_class.name()));
        }
        TOMBOLO_TRY_VOID(prepend(found->second, element.position));
    }
    return {};
}

Result<void> PathBinder::bind_object(const ClassSchema& object_class) {
    if (path_.steps.size() > 4 * limits::query_depth_max) {
        return invalid("the key path has too many elements");
    }
    TOMBOLO_TRY_VOID(expand_aliases(object_class));
    if (!next_is(ElementKind::name)) {
        return invalid(
            fmt::format("an object of class '{}' has no elements to index", object_class.name()));
    }
    if (elements_.back().text == "@links") {
        return bind_backlinks();
    }
    const PathElement element = take();
    const Property* property = object_class.find_in_code(element.text);
    property = property ? property : object_class.find(element.text);
    if (!property) {
        return invalid(fmt::format("'{}' has no property '{}'", object_class.name(), element.text));
    }
    property_class_ = &object_class;
    return bind_property(object_class, *property);
}

Result<void> PathBinder::bind_backlinks() {
    take();
    if (done()) {
        if (use_ != PathUse::size) {
            return invalid("'@links' alone can only be counted: '@links.@count'");
        }
        path_.ending = Ending::all_backlinks;
        path_.type.type = PropertyType::integer;
        return {};
    }
    const PathElement class_element = take();
    const ClassSchema* origin = class_of(class_element.text);
    if (!origin || class_element.kind != ElementKind::name) {
        return invalid(
            fmt::format("no class '{}' in '@links.{}'", class_element.text, class_element.text));
    }
    if (!next_is(ElementKind::name)) {
        return invalid(fmt::format("expected '@links.{}.<property>'", class_element.text));
    }
    const PathElement property_element = take();
    const Property* property = origin->find_in_code(property_element.text);
    property = property ? property : origin->find(property_element.text);
    if (!property || !property->is_link()) {
        return invalid(fmt::format("no link property '{}' in class '{}'", property_element.text,
                                   origin->name()));
    }
    Step& step = push(StepKind::backlinks);
    step.property = property;
    step.object_class = origin;
    if (done()) {
        end_at_objects(*origin);
        return {};
    }
    return bind_object(*origin);
}

Result<void> PathBinder::bind_property(const ClassSchema& object_class, const Property& property) {
    if (property.is_computed()) {
        const ClassSchema* origin = class_of(property.target);
        const Property* link = origin ? origin->find(property.origin) : nullptr;
        if (!link) {
            return invalid(fmt::format("'{}.{}' is computed from '{}.{}', which does not exist",
                                       object_class.name(), property.name, property.target,
                                       property.origin));
        }
        Step& step = push(StepKind::backlinks);
        step.property = link;
        step.object_class = origin;
        if (done()) {
            end_at_objects(*origin);
            return {};
        }
        return bind_object(*origin);
    }
    push(StepKind::property).property = &property;
    switch (property.collection) {
    case CollectionKind::none:
        return bind_to_one(property);
    case CollectionKind::list:
    case CollectionKind::set:
        return bind_list(property);
    case CollectionKind::dictionary:
        return bind_dictionary(property);
    }
    return {};
}

Result<void> PathBinder::bind_to_one(const Property& property) {
    if (property.type == PropertyType::mixed) {
        return bind_mixed();
    }
    if (property.is_link()) {
        const ClassSchema* target = class_of(property.target);
        if (!target) {
            return invalid(fmt::format("the class '{}' of {} does not exist", property.target,
                                       place(property)));
        }
        if (!done()) {
            follow(*target);
            return bind_object(*target);
        }
        if (use_ == PathUse::objects) {
            return invalid(fmt::format("{} is a single link, not a list", place(property)));
        }
        path_.type = {PropertyType::link, target, false};
        return end_at_scalar(PropertyType::link, place(property));
    }
    if (!done()) {
        return invalid(
            fmt::format("{} is not a link and has no '{}'", place(property),
                        elements_.back().text.empty() ? "[...]" : elements_.back().text));
    }
    return end_at_scalar(property.type, place(property));
}

/// Behind a property or an indexed element that is neither collection nor link.
Result<void> PathBinder::end_at_scalar(PropertyType type, std::string_view where) {
    if (path_.type.type != PropertyType::link) {
        path_.type.type = type;
    }
    path_.mixed = type == PropertyType::mixed;
    switch (use_) {
    case PathUse::value:
        return {};
    case PathUse::type:
        path_.ending = Ending::type;
        path_.type = {PropertyType::integer, nullptr, true};
        return {};
    case PathUse::size:
        if (!has_size(type)) {
            return invalid(fmt::format("{} has no size: @count and @size are for strings, binaries "
                                       "and collections",
                                       where));
        }
        path_.ending = Ending::size;
        path_.type = {PropertyType::integer, nullptr, false};
        return {};
    case PathUse::objects:
        break;
    }
    return invalid(fmt::format("{} is not a list of objects", where));
}

/// The path stops at objects: behind backlinks, or at a subquery's variable alone.
void PathBinder::end_at_objects(const ClassSchema& object_class) {
    path_.type = {PropertyType::link, &object_class, false};
    if (use_ == PathUse::size) {
        path_.ending = Ending::object_count;
        path_.many = false;
        path_.type = {PropertyType::integer, nullptr, false};
    } else if (use_ == PathUse::type) {
        path_.ending = Ending::type;
        path_.type = {PropertyType::integer, nullptr, true};
    }
}

/// The path stops at a whole collection.
Result<void> PathBinder::end_at_collection(const Property& property) {
    const ClassSchema* target = property.is_link() ? class_of(property.target) : nullptr;
    if (property.is_link() && !target) {
        return invalid(
            fmt::format("the class '{}' of {} does not exist", property.target, place(property)));
    }
    if (use_ == PathUse::size && !(target && path_.many)) {
        path_.ending = Ending::size;
        path_.type = {PropertyType::integer, nullptr, false};
        return {};
    }
    push(StepKind::elements);
    path_.type = {property.type, target, false};
    if (use_ == PathUse::size) {
        follow(*target);
        end_at_objects(*target);
        return {};
    }
    if (use_ == PathUse::objects) {
        if (!target || property.collection != CollectionKind::list) {
            return invalid(fmt::format("{} is not a list of objects", place(property)));
        }
        follow(*target);
        return {};
    }
    if (use_ == PathUse::type) {
        return end_at_scalar(property.type, place(property));
    }
    return {};
}

Result<Step> PathBinder::index_step(PathElement element) {
    Step step;
    switch (element.kind) {
    case ElementKind::index:
        step.kind = StepKind::index;
        step.index = element.number;
        return step;
    case ElementKind::first:
        step.kind = StepKind::first;
        return step;
    case ElementKind::last:
        step.kind = StepKind::last;
        return step;
    case ElementKind::name:
    case ElementKind::key:
        step.kind = StepKind::key;
        step.key = std::move(element.text);
        return step;
    case ElementKind::key_argument: {
        TOMBOLO_TRY(const Argument* argument, context_.argument(element.text, element.position));
        const Value* value = std::get_if<Value>(argument);
        if (const std::string* key = value ? value->get_if<std::string>() : nullptr) {
            step.kind = StepKind::key;
            step.key = *key;
            return step;
        }
        const std::int64_t* index = value ? value->get_if<std::int64_t>() : nullptr;
        if (index && *index >= 0) {
            step.kind = StepKind::index;
            step.index = static_cast<std::uint64_t>(*index);
            return step;
        }
        return invalid(
            fmt::format("argument ${} must be a key or an index, zero or more", element.text));
    }
    default:
        return invalid("a key or an index is expected");
    }
}

/// Behind one selected element of a typed collection.
Result<void> PathBinder::bind_element_end(const Property& property) {
    if (property.is_link()) {
        return bind_to_one(property);
    }
    if (property.type == PropertyType::mixed) {
        return bind_mixed();
    }
    if (!done()) {
        return invalid(fmt::format("{} can be indexed only once: its elements are no collections",
                                   place(property)));
    }
    return end_at_scalar(property.type, place(property));
}

Result<void> PathBinder::bind_list(const Property& property) {
    if (done()) {
        return end_at_collection(property);
    }
    if (next_is(ElementKind::all)) {
        take();
        if (done()) {
            return end_at_collection(property);
        }
        push(StepKind::elements);
        return bind_element_end(property);
    }
    if (!next_is(ElementKind::name)) {
        return bind_list_element(property);
    }
    if (property.is_link()) {
        const ClassSchema* target = class_of(property.target);
        if (!target) {
            return invalid(fmt::format("the class '{}' of {} does not exist", property.target,
                                       place(property)));
        }
        push(StepKind::elements);
        follow(*target);
        return bind_object(*target);
    }
    const PathElement element = take();
    const bool sized =
        property.type == PropertyType::string || property.type == PropertyType::binary;
    if (sized && is_length(element.text) && done() && use_ == PathUse::value) {
        push(StepKind::elements);
        path_.ending = Ending::size;
        path_.type = {PropertyType::integer, nullptr, false};
        return {};
    }
    return invalid(fmt::format("{} is a collection of {}, whose elements have no '{}'",
                               place(property), type_word({property.type, nullptr, false}),
                               element.text));
}

Result<void> PathBinder::bind_list_element(const Property& property) {
    TOMBOLO_TRY(Step step, index_step(take()));
    if (step.kind == StepKind::key) {
        return invalid(fmt::format("{} is a list and has no keys", place(property)));
    }
    path_.steps.push_back(std::move(step));
    return bind_element_end(property);
}

Result<void> PathBinder::bind_dictionary(const Property& property) {
    if (done()) {
        return end_at_collection(property);
    }
    const ClassSchema* target = property.is_link() ? class_of(property.target) : nullptr;
    const PathElement& front = elements_.back();
    if (front.kind == ElementKind::name && target &&
        (target->find_in_code(front.text) || target->find(front.text))) {
        push(StepKind::elements);
        follow(*target);
        return bind_object(*target);
    }
    const bool keys = front.kind == ElementKind::name && front.text == "@keys";
    const bool values = front.kind == ElementKind::all ||
                        (front.kind == ElementKind::name && front.text == "@values");
    if (keys) {
        take();
        push(StepKind::keys);
        if (!done()) {
            return invalid("nothing can follow '@keys'");
        }
        return end_at_scalar(PropertyType::string, place(property));
    }
    if (values) {
        take();
        if (done()) {
            return end_at_collection(property);
        }
        push(StepKind::elements);
        return bind_element_end(property);
    }
    TOMBOLO_TRY(Step step, index_step(take()));
    if (step.kind != StepKind::key) {
        return invalid(
            fmt::format("{} is a dictionary: it has keys, no positions", place(property)));
    }
    path_.steps.push_back(std::move(step));
    return bind_element_end(property);
}

Result<void> PathBinder::bind_mixed() {
    while (!done()) {
        const PathElement& front = elements_.back();
        if (front.kind == ElementKind::all ||
            (front.kind == ElementKind::name && front.text == "@values")) {
            take();
            push(StepKind::all);
        } else if (front.kind == ElementKind::name && front.text == "@keys") {
            take();
            push(StepKind::keys);
            if (!done()) {
                return invalid("nothing can follow '@keys'");
            }
            return end_at_scalar(PropertyType::string, "'@keys'");
        } else {
            TOMBOLO_TRY(Step step, index_step(take()));
            path_.steps.push_back(std::move(step));
        }
    }
    return end_at_scalar(PropertyType::mixed, "a mixed value");
}

} // namespace

Result<Path> bind_path(BindContext& context, const Scope& scope, const syntax::Path& path,
                       PathUse use) {
    return PathBinder(context, scope, use).bind(path);
}

} // namespace tombolo::query
