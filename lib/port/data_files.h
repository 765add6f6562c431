#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace portcullis::port {

/// Where the files that come with the appliance lie: driver profiles
/// (drivers-config/) and pipelines (pipelines/).
///
/// Looked for in this order: beside the configuration file, so that a site can
/// have its own; in the tree that the program was built in; where it was
/// installed.
class DataFiles {
public:
    /// `config_file` may be empty.
    explicit DataFiles(std::string_view config_file);

    /// The path of `relative` ("drivers-config/ice.yaml"), or an empty string.
    std::string find(std::string_view relative) const;
    /// The places looked at, for messages: "A, B or C".
    std::string places() const;

private:
    std::vector<std::string> folders_;
};

}  // namespace portcullis::port
