#include "evidence/build_id.h"

#include <algorithm>
#include <cstring>

#include <elf.h>
#include <link.h>

#include "base/hex.h"

namespace portcullis::evidence {

namespace {

constexpr size_t padded(size_t size) { return (size + 3) / 4 * 4; }

/// Looks through the notes of the first object: the program itself.
int look(dl_phdr_info* info, size_t, void* into) {
    BuildId& id = *static_cast<BuildId*>(into);
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const ElfW(Phdr)& header = info->dlpi_phdr[i];
        if (header.p_type != PT_NOTE) continue;
        const auto* notes = reinterpret_cast<const std::byte*>(info->dlpi_addr + header.p_vaddr);
        for (size_t at = 0; at + sizeof(ElfW(Nhdr)) <= header.p_memsz;) {
            ElfW(Nhdr) note;
            std::memcpy(&note, notes + at, sizeof note);
            const std::byte* text = notes + at + sizeof note + padded(note.n_namesz);
            if (note.n_type == NT_GNU_BUILD_ID) {
                std::memcpy(id.data(), text, std::min<size_t>(note.n_descsz, id.size()));
            }
            at += sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
        }
    }
    return 1;
}

}  // namespace

BuildId this_build() {
    BuildId id{};
    dl_iterate_phdr(look, &id);
    return id;
}

std::string to_string(const BuildId& id) {
    std::string text;
    append_hex(text, id);
    return text;
}

}  // namespace portcullis::evidence
