#include "admin_client.h"

#include <asio.hpp>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/setup_error.h"

namespace portcullis::app {

namespace {

constexpr auto patience = std::chrono::seconds(15);

std::string answer_to(const std::string& socket, const std::string& question,
                      const std::string& meanwhile) {
    asio::io_context loop;
    asio::local::stream_protocol::socket connection(loop);
    std::string answer;
    std::error_code trouble;
    bool over = false;
    const auto then = [&](auto next) {
        return [&, next](const std::error_code& error, auto...) mutable {
            trouble = error;
            over = true;
            if (!error) next();
        };
    };
    const auto read = [&] {
        over = false;
        asio::async_read_until(connection, asio::dynamic_buffer(answer), '\n', then([] {}));
    };
    const auto write = [&] {
        over = false;
        // Who does not listen may have said why.
        asio::async_write(connection, asio::buffer(question),
                          [&](const std::error_code&, size_t) { read(); });
    };
    connection.async_connect(socket, then(write));
    loop.run_for(patience);
    if (!over && !meanwhile.empty()) {
        std::cerr << meanwhile << std::endl;
        loop.run();
    }
    if (!over) {
        throw SetupError("an appliance is at " + socket + ", but has not answered for " +
                         std::to_string(patience.count()) +
                         " s; is its process stopped or its control core starved? Its log tells");
    }
    if (trouble) {
        throw SetupError("no appliance answers at " + socket + ": " + trouble.message() +
                         "; is it running, is --socket or --config right, may this user connect?");
    }
    return answer;
}

}  // namespace

nlohmann::ordered_json ask_appliance(const std::string& socket,
                                     const nlohmann::ordered_json& request,
                                     const std::string& meanwhile) {
    const auto parsed = nlohmann::ordered_json::parse(
        answer_to(socket, request.dump() + '\n', meanwhile), nullptr, false);
    if (!parsed.is_object() || !parsed.contains("ok") || !parsed["ok"].is_boolean()) {
        throw SetupError("what answers at " + socket +
                         " is no appliance; is --socket or --config right?");
    }
    if (!parsed["ok"].get<bool>()) throw SetupError(parsed.at("error").get<std::string>());
    return parsed.at("result");
}

}  // namespace portcullis::app
