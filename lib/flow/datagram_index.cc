#include "flow/datagram_index.h"

#include <algorithm>

namespace portcullis {

DatagramIndex::DatagramIndex(uint32_t capacity, uint64_t secret)
    : hash_(secret),
      places_(capacity),
      buckets_(std::bit_ceil(std::max<size_t>(capacity, 1) * 2), none),
      by_source_(sources) {
    for (uint32_t i = 0; i < capacity; ++i) places_[i].next = i + 1 < capacity ? i + 1 : none;
    if (capacity > 0) free_ = 0;
}

uint32_t DatagramIndex::find(const DatagramName& name, uint64_t hash) const noexcept {
    uint32_t at = buckets_[hash & (buckets_.size() - 1)];
    while (at != none && (places_[at].hash != hash || places_[at].name != name)) {
        at = places_[at].next;
    }
    return at;
}

uint32_t DatagramIndex::add(const DatagramName& name, uint64_t hash, Nanos now) noexcept {
    const uint32_t at = free_;
    if (at == none) return none;
    Place& place = places_[at];
    free_ = place.next;
    place.name = name;
    place.hash = hash;
    place.latest = now;
    place.source = source_of(name);
    place.standing = Standing::waiting;
    place.next = bucket(hash);
    bucket(hash) = at;
    join(queue_of(Standing::waiting), &Place::in_standing, at);
    join(by_source_[place.source], &Place::in_source, at);
    return at;
}

void DatagramIndex::remove(uint32_t at) noexcept {
    Place& place = places_[at];
    leave(queue_of(place.standing), &Place::in_standing, at);
    if (place.standing != Standing::foreign) {
        leave(by_source_[place.source], &Place::in_source, at);
    }
    uint32_t* link = &bucket(place.hash);
    while (*link != at) link = &places_[*link].next;
    *link = place.next;
    place.next = free_;
    free_ = at;
}

void DatagramIndex::touch(uint32_t at, Nanos now) noexcept {
    Place& place = places_[at];
    place.latest = now;
    leave(queue_of(place.standing), &Place::in_standing, at);
    join(queue_of(place.standing), &Place::in_standing, at);
    if (place.standing == Standing::foreign) return;
    leave(by_source_[place.source], &Place::in_source, at);
    join(by_source_[place.source], &Place::in_source, at);
}

void DatagramIndex::stand(uint32_t at, Standing standing) noexcept {
    Place& place = places_[at];
    if (place.standing == standing) return;
    leave(queue_of(place.standing), &Place::in_standing, at);
    if (place.standing == Standing::foreign) {
        join(by_source_[place.source], &Place::in_source, at);
    } else if (standing == Standing::foreign) {
        leave(by_source_[place.source], &Place::in_source, at);
    }
    place.standing = standing;
    join(queue_of(standing), &Place::in_standing, at);
}

uint32_t DatagramIndex::source_of(const DatagramName& name) const noexcept {
    DatagramName sender;
    sender.source = name.source;
    if (name.version == 6) std::fill_n(sender.source.octets.begin() + 8, 8, uint8_t{0});
    return static_cast<uint32_t>(hash(sender) % sources);
}

void DatagramIndex::join(Queue& queue, Links Place::* links, uint32_t at) noexcept {
    places_[at].*links = {queue.youngest, none};
    (queue.youngest == none ? queue.oldest : (places_[queue.youngest].*links).younger) = at;
    queue.youngest = at;
    ++queue.size;
}

void DatagramIndex::leave(Queue& queue, Links Place::* links, uint32_t at) noexcept {
    const Links its = places_[at].*links;
    (its.older == none ? queue.oldest : (places_[its.older].*links).younger) = its.younger;
    (its.younger == none ? queue.youngest : (places_[its.younger].*links).older) = its.older;
    --queue.size;
}

}  // namespace portcullis
