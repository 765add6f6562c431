#include "port/data_files.h"

#include <filesystem>

namespace portcullis::port {

namespace fs = std::filesystem;

namespace {

constexpr int build_depth_max = 4;  // build/apps/portcullis/portcullis, and one to spare

/// The folders above the running program that have profiles in them: the source
/// tree of a build, or PREFIX/share/portcullis of PREFIX/bin.
void add_folders_of_program(std::vector<std::string>& folders) {
    std::error_code failed;
    fs::path folder = fs::read_symlink("/proc/self/exe", failed).parent_path();
    if (failed) return;
    for (int i = 0; i < build_depth_max && folder.has_relative_path(); ++i) {
        folder = folder.parent_path();
        for (const fs::path& candidate : {folder, folder / "share/portcullis"}) {
            if (fs::is_directory(candidate / "drivers-config", failed)) {
                folders.push_back(candidate.string());
            }
        }
    }
}

}  // namespace

DataFiles::DataFiles(std::string_view config_file) {
    if (!config_file.empty()) {
        const fs::path beside = fs::path(config_file).parent_path();
        folders_.push_back(beside.empty() ? "." : beside.string());
    }
    add_folders_of_program(folders_);
    folders_.emplace_back(PORTCULLIS_DATA_DIR);
}

std::string DataFiles::find(std::string_view relative) const {
    for (const std::string& folder : folders_) {
        const fs::path path = fs::path(folder) / relative;
        std::error_code failed;
        if (fs::is_regular_file(path, failed)) return path.string();
    }
    return {};
}

std::string DataFiles::places() const {
    std::string text;
    for (size_t i = 0; i < folders_.size(); ++i) {
        if (i > 0) text += i + 1 == folders_.size() ? " or " : ", ";
        text += folders_[i];
    }
    return text;
}

}  // namespace portcullis::port
