#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

namespace portcullis::pipeline {

/// A folder that a test writes into, gone when the test is.
class TestFolder {
public:
    TestFolder() {
        static int folders = 0;
        path_ = std::filesystem::temp_directory_path() /
                ("portcullis-test-" + std::to_string(getpid()) + "-" + std::to_string(folders++));
        std::filesystem::create_directories(path_);
    }
    ~TestFolder() { std::filesystem::remove_all(path_); }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;

    std::string path(std::string_view name) const { return (path_ / name).string(); }
    std::string write(std::string_view name, std::string_view text) const {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }

private:
    std::filesystem::path path_;
};

/// What a call complains of, or "no complaint".
template <class Error, class Call>
std::string complaint_of(Call&& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "no complaint";
}

}  // namespace portcullis::pipeline
