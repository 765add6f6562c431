#pragma once

#include <cstdint>
#include <string_view>

/// The wire document's test vectors V1 to V27: the datagram, and what a receiver
/// who has the keys reads in it.
namespace portcullis::shadowland::vectors {

struct Vector {
    std::string_view name;
    bool to_server;
    std::string_view datagram;  ///< Hexadecimal digits.
    std::string_view meaning;   ///< JSON.
};

inline constexpr uint32_t connection_id = 0x11223344;

// clang-format off
inline constexpr Vector all[] = {
    {"V1 Connect without cookie", true,
     "000000000080000000000000000000010003640000007b4e909bbe7ffe44c465a220037d608e"
     "e35897d31ef972f07f74892cb0f73f1300000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000001de6d5d9",
     R"({"control":{"type":"Connect","version":1,"options":3,"build":100,"public_key":"7b4e9)"
     R"(09bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13","has_cookie":0,"cookie")"
     R"(:"0000000000000000000000000000000000000000000000000000000000000000000000000000000000)"
     R"(00000000000000"}})"},
    {"V2 Cookie", false,
     "000000000080000000000000000001802f47f7a10100000102030405060708f9ea6fb3fb9efc"
     "1b50842c820414268c3c9db49665f0a92a20fcc62a203b8494fcf5fda0",
     R"({"control":{"type":"Cookie","cookie":"802f47f7a10100000102030405060708f9ea6fb3fb9efc)"
     R"(1b50842c820414268c3c9db49665f0a92a20fcc62a203b8494"}})"},
    {"V3 Connect with cookie", true,
     "000000000080000000000000000000010003640000007b4e909bbe7ffe44c465a220037d608e"
     "e35897d31ef972f07f74892cb0f73f1301802f47f7a10100000102030405060708f9ea6fb3fb"
     "9efc1b50842c820414268c3c9db49665f0a92a20fcc62a203b84947a732857",
     R"({"control":{"type":"Connect","version":1,"options":3,"build":100,"public_key":"7b4e9)"
     R"(09bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13","has_cookie":1,"cookie")"
     R"(:"802f47f7a10100000102030405060708f9ea6fb3fb9efc1b50842c820414268c3c9db49665f0a92a20)"
     R"(fcc62a203b8494"}})"},
    {"V4 ConnectionAccepted", false,
     "44332211008000000000000000000201030faa684ed28867b97f4a6a2dee5df8ce974e76b701"
     "8e3f22a1c4cf2678570f203c8813983a802f47f7a101000097df04c4",
     R"({"control":{"type":"ConnectionAccepted","mode":1,"options":3,"public_key":"0faa684ed)"
     R"(28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20","tick_rate":60,"heartbeat_i)"
     R"(nterval":5000,"heartbeat_timeout":15000,"server_time":1795150000000}})"},
    {"V5 CryptoTest", true,
     "4433221100830100000000000000d01903524f4c23556df1be53f98640967dfeedc8f5ca34e8"
     "4141cb8eccc73b472d",
     R"({"epoch":0,"control":{"type":"CryptoTest","data":"000102030405060708090a0b0c0d0e0f"})"
     R"(})"},
    {"V6 ReliableHandshake", true,
     "4433221100c302000000000000008dbb65f860ebbaf7d49816594877725cbefd18",
     R"({"epoch":0,"control":{"type":"ReliableHandshake","step":0,"window":64}})"},
    {"V7 EnterToWorld: a new symbol; channel 1 in the nonce", true,
     "4433221101030100000000000000458e36d2edadc15539829da636a26a96e662ee4d29fc1abc"
     "bb7f9363435f2707c8707f96246324357fc0",
     R"({"epoch":0,"form":"single","messages":[{"type":"EnterToWorld","name_id":0,"name":"Al)"
     R"(ice","token":"00112233445566778899aabbccddeeff","map_id":1}]})"},
    {"V8 CreateEntity of the own player", false,
     "4433221101030100000000000000f88c17eabec8ae99f7baa1901315a2cafa838839a20c20d1"
     "7946f3f843084fa997d29b9a601703ca3408cd38ca5f0fefad5a",
     R"({"epoch":0,"form":"single","messages":[{"type":"CreateEntity","entity_id":300,"entit)"
     R"(y_type":0,"self":true,"yaw_only":true,"name_id":0,"name":"Alice","map_id":1,"positio)"
     R"(n":[409700.5,409000,1000],"rotation":[16384],"anim":0,"state":1,"buffs":0,"hp":255,")"
     R"(mana":255,"faction":0}]})"},
    {"V9 Ack of three", true,
     "4433221100a30300000000000000e501d76d1ca7313b7543fa9fd1338c46dbfa6fc610ac966a"
     "a90d58efcdecbe705adede030ebeddbfc9c89f",
     R"({"epoch":0,"control":{"type":"Ack","ack_channel":1,"sequences":[1,2,5]}})"},
    {"V10 SyncEntityQuantized, plain", true,
     "44332211000007000000000000000140e201001f01f0016500a861e80300e00104a4015cfe00"
     "0098981bf7",
     R"({"form":"single","messages":[{"type":"SyncEntityQuantized","client_time":123456,"del)"
     R"(ta":31,"yaw_only":true,"quadrant":496,"position":[101,25000,1000],"rotation":[-8192])"
     R"(,"anim":1,"state":4,"velocity":[420,-420,0]}]})"},
    {"V11 Bundle: UpdateEntityQuantized, UpdateEntity, an unknown type", false,
     "44332211000009000000000000007e0f0004da040301f0016500a861e8030040080002dc0408"
     "0308c80a02004d0068b71d04",
     R"({"form":"bundle","messages":[{"type":"UpdateEntityQuantized","entity_id":301,"delta")"
     R"(:3,"yaw_only":true,"quadrant":496,"position":[101,25000,1000],"rotation":[16384]},{")"
     R"(type":"UpdateEntity","entity_id":302,"delta":8,"state":3,"buffs":8,"hp":200,"mana":1)"
     R"(0},{"error":"type"}]})"},
    {"V12 Queue of the older wire: two messages and markers", false,
     "4433221100000a000000000000007f03da0400fefefefe070500d8040402b80b01dc04c8fefe"
     "fefe34dcdcad",
     R"({"form":"queue","messages":[{"type":"RemoveEntity","entity_id":301,"reason":0},{"typ)"
     R"(e":"ActionResult","request_id":5,"source":300,"action":2,"result":2,"cooldown":3000,)"
     R"("target":302,"target_hp":200}]})"},
    {"V13 DeltaSync: ids 40 and 300, negative and larger deltas", false,
     "443322110103020000000000000002b4f560c578cbabf9fed09b1892af0ef156f49f1c3ac3a4"
     "5c4a7bb27017559bec4b1e",
     R"({"epoch":0,"form":"single","messages":[{"type":"DeltaSync","entities":[{"entity_id":)"
     R"(40,"dx":-1,"dy":64},{"entity_id":300,"dx":8192,"dy":-8193,"dz":5,"yaw":-16384}]}]})"},
    {"V14 ActionRequest with target", true,
     "4433221101030200000000000000f3be1005aff2be3d30054395eb5e461ee4f581102c0e095f"
     "d9f2bb",
     R"({"epoch":0,"form":"single","messages":[{"type":"ActionRequest","request_id":5,"clien)"
     R"(t_time":130000,"action":2,"target":302}]})"},
    {"V15 Compressed Benchmark: 660 bytes of a repeated word, LZ4 block", false,
     "4433221100100b000000000000009b020000ff030007000000a80a736861646f776c616e6420"
     "0b00ffff73506c616e64207fbe7e7f",
     R"({"original_size":667,"form":"single","messages":[{"type":"Benchmark","benchmark_id":)"
     R"(7,"data_len":660,"data_sha256":"61d9438b02c1004f1c03a994db333a897f388f24992b4060b3e9)"
     R"(54b1b7756dac"}]})"},
    {"V16 the last of two Fragments (the first is Offset 0 with 1,160 bytes)", false,
     "44332211028802000000000000000809009100a3040000616161616161616161616161616161"
     "616161616161616161616161a176e1c9",
     R"({"control":{"type":"Fragment","fragment_id":9,"offset":145,"total_size":1187,"data_l)"
     R"(en":27,"data_sha256":"cc0616e61cbd6e8e5e34e9fb2d320f37de915820206f5696c31f1fbd24aa16)"
     R"(de"}})"},
    {"V17 Ping", false,
     "4433221100830500000000000000533a3d9e403e9b8aab057adb4e5acb4e47c0034ae88bc0f6"
     "6ded08",
     R"({"epoch":0,"control":{"type":"Ping","ping_id":1,"send_time":1795150000000}})"},
    {"V18 Pong", true,
     "44332211008305000000000000007481e656c1bc06166e695134bf26c63b8a9676d5cdb69a42"
     "c6a3c44a44",
     R"({"epoch":0,"control":{"type":"Pong","ping_id":1,"send_time":1795150000000,"hold":12})"
     R"(})"},
    {"V19 CheckIntegrity, answer for index 513, Build 100", true,
     "4433221101830300000000000000e417a6fab71b4e5e700242913cb3eb071eda9b668fbf4973"
     "2bce7be2655ad37522ad48d932b1",
     R"({"epoch":0,"control":{"type":"CheckIntegrity","phase":1,"challenge_id":77,"index":51)"
     R"(3,"key":"9852ca73aec7a3b6f94d2a19c1f2b674"}})"},
    {"V20 RekeyRequest", false,
     "4433221101870300000000000000af97f3532db764568421dfe6efaa66e800ed2c16a55667c0"
     "91e2d6dd8789fff1dfca1b80c7fb52cb340f52da76991d882cddabe754",
     R"({"epoch":0,"control":{"type":"RekeyRequest","epoch":1,"public_key":"38ab664bd86f77d7)"
     R"(e66bdd9ae0792913a94fd8b33a1260027e4b46c1f4884c67"}})"},
    {"V21 RekeyResponse", true,
     "443322110187040000000000000052f59bd0b9e26d4679da2170dbc551fcd16a543361d44919"
     "b0e017f9566e60714820e2cf8a2bdca638bb3e44464f339676d808da44",
     R"({"epoch":0,"control":{"type":"RekeyResponse","epoch":1,"public_key":"ff2ee45601ec1b6)"
     R"(7310c7790404585ae697331eee1c1f8cf2419731c1fff3e6b"}})"},
    {"V22 Ping under epoch 1 (key phase in the channel byte)", false,
     "44332211808306000000000000008f257e18f3e58f60f89dc439f58ccbdcff0f06aa6c82da85"
     "0b2090",
     R"({"epoch":1,"control":{"type":"Ping","ping_id":2,"send_time":1795150005000}})"},
    {"V23 Disconnect", false,
     "443322118083070000000000000063db6401630ed0165c148d71721d889d21a3f8c639714f9f"
     "03a23523042a300637",
     R"({"epoch":1,"control":{"type":"Disconnect","reason":7,"text":"movement.speed"}})"},
    {"V24 bad CRC", true,
     "4433221100000800000000000000020100010000010000000000007ad78317",
     R"({"error":"crc"})"},
    {"V25 bad tag", true,
     "4433221100830600000000000000c895f19c6856f7a14ea7e45fc88329c23a9a615d547bb60e"
     "5c988a7d26",
     R"({"error":"tag"})"},
    {"V26 overlong VarInt", true,
     "443322110000090000000000000005010009000000820000000474ab2a",
     R"({"error":"varint"})"},
    {"V27 a bundle whose first message (an ActionRequest) a box on the wire turned into Nop", true,
     "4433221100000a000000000000007e0b007d0500d0fb01000401dc040d00020100802f47f7a1"
     "0100000c00d09af26f",
     R"({"form":"bundle","messages":[{"type":"Nop","data_len":10,"data_sha256":"43b45aa61b38)"
     R"(14cdf4b5f810df22494a449dca8d95b4b3d14abd53d332583a8f"},{"type":"Pong","ping_id":1,"s)"
     R"(end_time":1795150000000,"hold":12}]})"},
};
// clang-format on

}  // namespace portcullis::shadowland::vectors
