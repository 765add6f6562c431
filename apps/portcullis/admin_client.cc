#include "admin_client.h"

#include <asio.hpp>
#include <nlohmann/json.hpp>

#include "base/setup_error.h"

namespace portcullis::app {

nlohmann::ordered_json ask_appliance(const std::string& socket,
                                     const nlohmann::ordered_json& request) {
    asio::io_context loop;
    asio::local::stream_protocol::socket connection(loop);
    std::string answer;
    try {
        connection.connect(socket);
        asio::write(connection, asio::buffer(request.dump() + '\n'));
        asio::read_until(connection, asio::dynamic_buffer(answer), '\n');
    } catch (const std::system_error& error) {
        throw SetupError("no appliance answers at " + socket + ": " + error.code().message() +
                         "; is it running, is --socket or --config right, may this user connect?");
    }
    const auto parsed = nlohmann::ordered_json::parse(answer);
    if (!parsed.at("ok").get<bool>()) throw SetupError(parsed.at("error").get<std::string>());
    return parsed.at("result");
}

}  // namespace portcullis::app
