#include "server/functions/run.hpp"

#include <algorithm>
#include <chrono>

#include <boost/json/serialize.hpp>

#include "core/ejson.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::functions {

namespace {

constexpr std::string_view system_user =
    R"({"id": "", "type": "system", "data": {}, "custom_data": {}, "identities": []})";

std::string quoted(std::string_view text) {
    return boost::json::serialize(boost::json::string(text));
}

std::string run_head(const RunInput& input) {
    const Call& call = input.call;
    std::string head = R"({"name": )" + quoted(call.name);
    head += R"(, "system": )";
    head += input.caller.is_system ? "true" : "false";
    head += R"(, "user": )";
    head += input.caller.user.empty() ? system_user : std::string_view(input.caller.user);
    head += R"(, "request": )" + (call.request.empty() ? std::string("{}") : call.request);
    head += R"(, "secrets": {)";
    bool first = true;
    for (const auto& [name, secret] : input.secrets) {
        head += (first ? "" : ", ") + quoted(name) + ": " + quoted(secret);
        first = false;
    }
    head += "}";
    if (!call.response_form.empty()) {
        head += R"(, "responseForm": )" + quoted(call.response_form);
    }
    if (call.source) {
        head += R"(, "source": )" + quoted(*call.source);
        head += R"(, "evaluated": )" + quoted(call.eval_source);
        head += call.compile_only ? R"(, "compileOnly": true)" : "";
    }
    return head + "}";
}

// One call's conversation.
class Conversation {
  public:
    Conversation(Worker& worker, const RunInput& input, Outcome& outcome)
        : worker_(worker), input_(input),
          time_ms_max_(input.call.origin == Origin::rule
                           ? std::min(input.options.rule_time_ms_max, input.options.time_ms_max)
                           : input.options.time_ms_max),
          deadline_(std::chrono::steady_clock::now() + std::chrono::milliseconds(time_ms_max_)),
          outcome_(outcome), id_(worker.calls + 1) {}

    bool run() {
        const Frame start{FrameKind::run, id_, run_head(input_), input_.arguments};
        if (const Result<void> sent = worker_.process->send(start, deadline_); !sent) {
            broken(sent.error());
            return false;
        }
        for (;;) {
            Result<Frame> frame = worker_.process->receive(deadline_);
            if (!frame) {
                broken(frame.error());
                return false;
            }
            const Step step = handle(*frame);
            if (step != Step::go_on) {
                return step == Step::done;
            }
        }
    }

  private:
    enum class Step : std::uint8_t { go_on, done, unusable };

    void fail(FailureKind kind, std::string message) {
        outcome_.failure = Failure{kind, std::move(message), {}, {}};
    }

    // The worker does not answer, answers too much, or is gone.
    void broken(const Error& error) {
        worker_.process->kill();
        if (error.code() == ErrorCode::unavailable) {
            fail(FailureKind::time_limit,
                 "execution time limit exceeded: " + std::to_string(time_ms_max_) + " ms");
            return;
        }
        if (error.code() == ErrorCode::limit_exceeded) {
            fail(FailureKind::output_limit, "the function's output is too long");
            return;
        }
        const std::string& words = worker_.process->last_words();
        if (words.find("heap out of memory") != std::string::npos ||
            words.find("Allocation failed") != std::string::npos) {
            fail(FailureKind::memory_limit,
                 "memory limit exceeded: " + std::to_string(input_.options.memory_bytes_max >> 20) +
                     " MB");
            return;
        }
        fail(FailureKind::crashed, "the function's process ended: it " + worker_.process->ending());
    }

    Step handle(Frame& frame) {
        switch (frame.kind) {
        case FrameKind::log:
            return log(frame);
        case FrameKind::service:
            return serve(frame);
        case FrameKind::result:
            return frame.id == id_ ? finish(frame) : Step::go_on;
        case FrameKind::failure:
            return frame.id == id_ ? finish_failed(frame) : Step::go_on;
        case FrameKind::ready:
        case FrameKind::app:
        case FrameKind::run:
        case FrameKind::reply:
        case FrameKind::ping:
            break;
        }
        fail(FailureKind::crashed, "the function's process spoke out of turn");
        return Step::unusable;
    }

    Step log(Frame& frame) {
        // The worker keeps to the limits; one that does not is not under its script's control.
        log_bytes_ += frame.body.size();
        if (++log_messages_ > input_.options.log_messages_max * 2 + 16 ||
            log_bytes_ > input_.options.log_bytes_max * 4 + 4096) {
            fail(FailureKind::output_limit, "the function's output is too long");
            return Step::unusable;
        }
        if (frame.id != id_) {
            return Step::go_on;
        }
        const bool is_error = frame.head.find(R"("error")") != std::string::npos;
        (is_error ? outcome_.error_logs : outcome_.logs).push_back(std::move(frame.body));
        return Step::go_on;
    }

    Step serve(Frame& frame) {
        Frame reply{FrameKind::reply, frame.id, R"({"ok":true})", {}};
        Result<std::string> result = ask(frame);
        if (result) {
            reply.body = *std::move(result);
        } else {
            reply.head =
                R"({"ok":false,"code":)" + quoted(error_code_name(result.error().code())) + "}";
            reply.body = result.error().what();
        }
        if (const Result<void> sent = worker_.process->send(reply, deadline_); !sent) {
            broken(sent.error());
            return Step::unusable;
        }
        return Step::go_on;
    }

    Result<std::string> ask(Frame& frame) {
        if (!input_.seams.service) {
            return Error(ErrorCode::unsupported, "this server has no data sources for functions");
        }
        TOMBOLO_TRY(const boost::json::object head, server::parse_json_object(frame.head));
        Caller caller = input_.caller;
        // The worker says which function of the chain runs as the system; the configuration has to
        // agree.
        const std::string name = server::string_or(head, "system");
        if (!name.empty()) {
            const auto& functions = input_.call.app->config.code.functions;
            const auto found = functions.find(name);
            if (found == functions.end() || !found->second.run_as_system) {
                return Error(ErrorCode::invalid_argument, "the function does not run as system");
            }
            caller.is_system = true;
        }
        return input_.seams.service(
            ServiceRequest{*input_.call.app, caller, server::string_or(head, "service"),
                           server::string_or(head, "action"), std::move(frame.body), input_.call});
    }

    Step finish(Frame& frame) {
        // Read and written anew: what leaves the server is Extended JSON, whatever the worker said.
        const auto bson = ejson_to_wrapped_bson(frame.body);
        const auto text = bson ? wrapped_bson_to_ejson(*bson, EjsonForm::canonical)
                               : Result<std::string>(bson.error());
        if (text) {
            outcome_.result = *text;
        } else {
            fail(FailureKind::thrown,
                 std::string("the function's result is no Extended JSON: ") + text.error().what());
        }
        return Step::done;
    }

    Step finish_failed(Frame& frame) {
        const auto head = server::parse_json_object(frame.head);
        Failure failure;
        failure.message = std::move(frame.body);
        if (head) {
            const std::string kind = server::string_or(*head, "kind");
            failure.kind = kind == "syntax"   ? FailureKind::syntax
                           : kind == "output" ? FailureKind::output_limit
                                              : FailureKind::thrown;
            failure.name = server::string_or(*head, "name");
            failure.stack = server::string_or(*head, "stack");
        }
        outcome_.failure = std::move(failure);
        return Step::done;
    }

    Worker& worker_;
    const RunInput& input_;
    const std::int64_t time_ms_max_;
    const Deadline deadline_;
    Outcome& outcome_;
    const std::uint32_t id_;
    std::size_t log_messages_ = 0;
    std::size_t log_bytes_ = 0;
};

} // namespace

bool run_in(Worker& worker, const RunInput& input, Outcome& outcome) {
    return Conversation(worker, input, outcome).run();
}

} // namespace tombolo::functions
