// What deciphering costs: every kernel that runs here against OpenSSL, on segments of
// the usual size and on small packets of a client.

#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include "protocol/minecraft/cfb8.h"

namespace portcullis::minecraft {
namespace {

constexpr Cfb8::Secret secret = {std::byte{0x22}, std::byte{0x97}, std::byte{0x3f}};

void count(benchmark::State& state) {
    state.SetBytesProcessed(state.iterations() * state.range(0));
}

void kernel(benchmark::State& state, const Cfb8::Kernel& kernel) {
    const auto size = static_cast<size_t>(state.range(0));
    const std::vector<std::byte> in(size, std::byte{0x5a});
    std::vector<std::byte> out(size);
    const Cfb8 cipher(secret);
    Cfb8::Register last = secret;
    for (auto _ : state) {
        cipher.decrypt_with(kernel, in, last, out);
        benchmark::DoNotOptimize(out.data());
    }
    count(state);
}

void openssl(benchmark::State& state) {
    const auto size = static_cast<size_t>(state.range(0));
    const std::vector<unsigned char> in(size, 0x5a);
    std::vector<unsigned char> out(size + 16);
    const auto* key = reinterpret_cast<const unsigned char*>(secret.data());
    std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                            EVP_CIPHER_CTX_free);
    EVP_DecryptInit_ex(context.get(), EVP_aes_128_cfb8(), nullptr, key, key);
    for (auto _ : state) {
        int written = 0;
        EVP_DecryptUpdate(context.get(), out.data(), &written, in.data(), static_cast<int>(size));
        benchmark::DoNotOptimize(out.data());
    }
    count(state);
}

}  // namespace
}  // namespace portcullis::minecraft

int main(int argc, char** argv) {
    using namespace portcullis::minecraft;
    const auto sizes = [](benchmark::internal::Benchmark* b) { b->Arg(32)->Arg(1460); };
    sizes(benchmark::RegisterBenchmark("openssl", openssl));
    for (const Cfb8::Kernel& each : Cfb8::kernels()) {
        sizes(benchmark::RegisterBenchmark(std::string(each.name).c_str(), kernel, each));
    }
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
