-- Shadowland for Wireshark and tshark: headers, control packets, bundles and queues, fragments put together,
-- LZ4, and what is sealed when its keys are given.  See README.md beside this file.
--
-- Fields have the wire document's names behind "shadowland.".  A packet that a receiver would drop has
-- shadowland.error with the document's name for why; a message that is broken inside a bundle has
-- shadowland.message_error.  Runs on Lua 5.2 and later, and needs nothing else: ChaCha20-Poly1305 and LZ4
-- are below.

local shadowland = Proto("shadowland", "Shadowland")
shadowland.prefs.port = Pref.uint("Server port", 3565, "UDP port of the service")
shadowland.prefs.keys = Pref.string("Keys file", "", "Lines of the key feed, as `portcullis inspect --keys` reads them")

local header_size, crc_size, tag_size = 14, 4, 16
local datagram_size_max, plain_size_min, sealed_size_min = 1200, 19, 31
local fragment_data_size = 1160
local large_payload_max = { c2s = 65536, s2c = 524288 }

-- Fields ------------------------------------------------------------------------------------------------------

local F = {}
local function field(kind, ...)
  for _, name in ipairs({ ... }) do F[name] = ProtoField[kind]("shadowland." .. name, name) end
end
field("uint8", "channel", "key_phase", "delta", "state", "buffs", "hp", "mana", "anim", "faction", "entity_type",
  "reason", "result", "target_hp", "step", "window", "phase", "ack_channel", "options", "tick_rate", "mode", "has_cookie")
field("uint16", "version", "heartbeat_interval", "heartbeat_timeout", "retry_after", "ping_id", "hold", "fragment_id",
  "offset", "challenge_id", "index", "map_id", "quadrant", "request_id", "cooldown")
field("uint32", "connection_id", "build", "epoch", "key_epoch", "total_size", "benchmark_id", "entity_id", "name_id",
  "owner", "source", "action", "target", "client_time", "data_len", "original_size")
field("uint64", "sequence", "sequences", "server_time", "send_time")
field("int32", "dx", "dy", "dz")
field("int16", "yaw", "qposition", "qrotation", "qvelocity", "qpoint")
field("double", "position", "rotation", "velocity")
field("bool", "self", "yaw_only", "reassembled")
field("bytes", "public_key", "cookie", "data", "key", "token", "tag", "sealed")
field("string", "type", "form", "error", "message_error", "name", "text", "direction")
F.flags = ProtoField.uint8("shadowland.flags", "flags", base.HEX)
F.crc = ProtoField.uint32("shadowland.crc", "crc", base.HEX)
local flag_names = { "encrypted", "aead", "rekey", "fragment", "compressed", "acknowledgment", "reliable_handshake", "control" }
local flag = {}
for i, name in ipairs(flag_names) do
  flag[name] = 2 ^ (i - 1)
  F["flags." .. name] = ProtoField.bool("shadowland.flags." .. name, name, 8, nil, flag[name])
end
shadowland.fields = F
local broken = ProtoExpert.new("shadowland.expert", "A receiver would drop this", expert.group.MALFORMED, expert.severity.ERROR)
shadowland.experts = { broken }

local function has(value, bits) return bit32.band(value, bits) ~= 0 end

-- ChaCha20-Poly1305 (RFC 8439) --------------------------------------------------------------------------------

local band, bxor, lrotate = bit32.band, bit32.bxor, bit32.lrotate

local function le32(text, at)
  local a, b, c, d = text:byte(at, at + 3)
  return a + b * 0x100 + c * 0x10000 + d * 0x1000000
end

local function quarter(x, a, b, c, d)
  x[a] = band(x[a] + x[b], 0xffffffff); x[d] = lrotate(bxor(x[d], x[a]), 16)
  x[c] = band(x[c] + x[d], 0xffffffff); x[b] = lrotate(bxor(x[b], x[c]), 12)
  x[a] = band(x[a] + x[b], 0xffffffff); x[d] = lrotate(bxor(x[d], x[a]), 8)
  x[c] = band(x[c] + x[d], 0xffffffff); x[b] = lrotate(bxor(x[b], x[c]), 7)
end

local function chacha_block(key, nonce, counter)
  local start = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }
  for i = 0, 7 do start[5 + i] = le32(key, 1 + 4 * i) end
  start[13] = counter
  for i = 0, 2 do start[14 + i] = le32(nonce, 1 + 4 * i) end
  local x = {}
  for i = 1, 16 do x[i] = start[i] end
  for _ = 1, 10 do
    quarter(x, 1, 5, 9, 13); quarter(x, 2, 6, 10, 14); quarter(x, 3, 7, 11, 15); quarter(x, 4, 8, 12, 16)
    quarter(x, 1, 6, 11, 16); quarter(x, 2, 7, 12, 13); quarter(x, 3, 8, 9, 14); quarter(x, 4, 5, 10, 15)
  end
  local out = {}
  for i = 1, 16 do
    local v = band(x[i] + start[i], 0xffffffff)
    for _ = 1, 4 do
      out[#out + 1] = v % 256
      v = math.floor(v / 256)
    end
  end
  return out
end

-- Numbers of 130 bits are ten limbs of 13 bits, so that no product leaves a double's 53.
local function limbs_of(bytes)
  local limbs, value, bits = {}, 0, 0
  for i = 1, 17 do
    value = value + (bytes[i] or 0) * 2 ^ bits
    bits = bits + 8
    while bits >= 13 do
      limbs[#limbs + 1] = value % 8192
      value = math.floor(value / 8192)
      bits = bits - 13
    end
  end
  while #limbs < 10 do
    limbs[#limbs + 1] = value % 8192
    value = math.floor(value / 8192)
  end
  return limbs
end

local function carry(h)
  local c = 0
  for i = 1, 10 do
    local v = h[i] + c
    h[i] = v % 8192
    c = math.floor(v / 8192)
  end
  while c > 0 do  -- 2^130 is 5.
    local v = h[1] + 5 * c
    c = 0
    for i = 1, 10 do
      v = (i == 1 and v or h[i] + c)
      h[i] = v % 8192
      c = math.floor(v / 8192)
    end
  end
end

local function poly1305(key, message)  -- Both tables of bytes; `message` a multiple of 16 long.
  local r = {}
  for i = 1, 16 do r[i] = key[i] end
  for _, i in ipairs({ 4, 8, 12, 16 }) do r[i] = r[i] % 16 end
  for _, i in ipairs({ 5, 9, 13 }) do r[i] = r[i] - r[i] % 4 end
  r = limbs_of(r)
  local h = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
  for at = 1, #message, 16 do
    local block = {}
    for i = 0, 15 do block[i + 1] = message[at + i] end
    block[17] = 1
    local m = limbs_of(block)
    for i = 1, 10 do h[i] = h[i] + m[i] end
    local product = {}
    for i = 1, 10 do
      local sum = 0
      for j = 1, 10 do
        local k = i - j + 1
        sum = sum + (k >= 1 and h[j] * r[k] or 5 * h[j] * r[k + 10])
      end
      product[i] = sum
    end
    h = product
    carry(h)
  end
  local g = { h[1] + 5 }  -- h - (2^130 - 5), if that is not below 0
  for i = 2, 10 do g[i] = h[i] end
  local c = 0
  for i = 1, 10 do
    local v = g[i] + c
    g[i] = v % 8192
    c = math.floor(v / 8192)
  end
  if c > 0 then h = g end
  local tag, value, bits, limb, over = {}, 0, 0, 1, 0
  for i = 1, 16 do
    while bits < 8 do
      value = value + (h[limb] or 0) * 2 ^ bits
      limb = limb + 1
      bits = bits + 13
    end
    local sum = value % 256 + key[16 + i] + over
    tag[i] = sum % 256
    over = math.floor(sum / 256)
    value = math.floor(value / 256)
    bits = bits - 8
  end
  return tag
end

-- The payload of a sealed datagram as text, or nil when the tag is wrong.
local function open_sealed(datagram, key)
  local size = #datagram - header_size - tag_size
  local high = datagram:byte(14) + datagram:byte(5) % 4 * 64  -- The channel is in the two highest bits.
  local nonce = datagram:sub(1, 4) .. datagram:sub(7, 13) .. string.char(high)
  local one_time = chacha_block(key, nonce, 0)
  local message = { datagram:byte(1, header_size) }
  local function pad() while #message % 16 ~= 0 do message[#message + 1] = 0 end end
  pad()
  for i = 1, size do message[#message + 1] = datagram:byte(header_size + i) end
  pad()
  for _, length in ipairs({ header_size, size }) do
    for i = 0, 7 do message[#message + 1] = math.floor(length / 256 ^ i) % 256 end
  end
  local tag = poly1305(one_time, message)
  for i = 1, tag_size do
    if tag[i] ~= datagram:byte(header_size + size + i) then return nil end
  end
  local out, stream = {}, nil
  for i = 0, size - 1 do
    if i % 64 == 0 then stream = chacha_block(key, nonce, 1 + i / 64) end
    out[i + 1] = string.char(bxor(datagram:byte(header_size + 1 + i), stream[i % 64 + 1]))
  end
  return table.concat(out)
end

-- Keys --------------------------------------------------------------------------------------------------------

local keys, keys_from = {}, nil
local function from_hex(text) return (text:gsub("%x%x", function(two) return string.char(tonumber(two, 16)) end)) end

local function load_keys(path)
  keys, keys_from = {}, path
  if path == "" then return end
  local file = io.open(path)
  if not file then
    print("shadowland: " .. path .. ": the keys file can not be read")
    return
  end
  for line in file:lines() do
    local id, epoch = line:match('"connection_id"%s*:%s*(%d+)'), line:match('"epoch"%s*:%s*(%d+)')
    local c2s, s2c = line:match('"c2s"%s*:%s*"(%x+)"'), line:match('"s2c"%s*:%s*"(%x+)"')
    if id and epoch and c2s and s2c then
      id = tonumber(id)
      keys[id] = keys[id] or {}
      keys[id][tonumber(epoch)] = { c2s = from_hex(c2s), s2c = from_hex(s2c) }
    end
  end
  file:close()
end

-- CRC32C ------------------------------------------------------------------------------------------------------

local crc_table = {}
for byte = 0, 255 do
  local crc = byte
  for _ = 1, 8 do
    crc = has(crc, 1) and bxor(bit32.rshift(crc, 1), 0x82f63b78) or bit32.rshift(crc, 1)
  end
  crc_table[byte] = crc
end
local function crc32c(text)
  local crc = 0xffffffff
  for i = 1, #text do crc = bxor(bit32.rshift(crc, 8), crc_table[band(bxor(crc, text:byte(i)), 0xff)]) end
  return bxor(crc, 0xffffffff)
end

-- LZ4, one block ------------------------------------------------------------------------------------------------

-- The payload as text, or nil and the name of the error.
local function decompress(text, direction)
  if #text < 5 then return nil, "lz4" end
  local size = le32(text, 1)
  if size <= 512 or size > large_payload_max[direction] or size > 64 * #text then return nil, "lz4.size" end
  local out, at, last = {}, 5, #text
  local function length(nibble)
    if nibble < 15 then return nibble end
    local total, more = 15, 255
    while more == 255 do
      more = text:byte(at)
      if not more then return nil end
      at, total = at + 1, total + more
    end
    return total
  end
  while at <= last do
    local token = text:byte(at)
    at = at + 1
    local literals = length(math.floor(token / 16))
    if not literals or at + literals - 1 > last or #out + literals > size then return nil, "lz4" end
    for i = 0, literals - 1 do out[#out + 1] = text:byte(at + i) end
    at = at + literals
    if at > last then break end
    if at + 1 > last then return nil, "lz4" end
    local back = text:byte(at) + 256 * text:byte(at + 1)
    at = at + 2
    local match = length(token % 16)
    if not match or back == 0 or back > #out or #out + match + 4 > size then return nil, "lz4" end
    for _ = 1, match + 4 do out[#out + 1] = out[#out - back + 1] end
    if at > last then return nil, "lz4" end  -- A block ends with literals.
  end
  if #out ~= size then return nil, "lz4" end
  local parts = {}
  for i = 1, #out, 4096 do parts[#parts + 1] = string.char(unpack(out, i, math.min(i + 4095, #out))) end
  return table.concat(parts)
end

-- Reading a body ------------------------------------------------------------------------------------------------

-- Reads field by field; the first that fails names the error.  Shows them only when it has a tree.
local Reader = {}
Reader.__index = Reader
local function reader(tvb, direction, tree)
  return setmetatable({ tvb = tvb, at = 0, direction = direction, tree = tree, size = tvb:len() }, Reader)
end
function Reader:fail(why) self.error = self.error or why end
function Reader:expect(holds, why) if not holds then self:fail(why or "value") end end
function Reader:take(size)
  if self.error then return nil end
  if self.at + size > self.size then
    self:fail("truncated")
    return nil
  end
  local range = size > 0 and self.tvb(self.at, size) or nil
  self.at = self.at + size
  return range
end
function Reader:show(name, range, value)
  if not (self.tree and name and range) or self.error then return end
  if value == nil then self.tree:add(F[name], range) else self.tree:add(F[name], range, value) end
end
function Reader:integer(name, size)
  local range = self:take(size)
  local value = range and range:le_uint() or 0
  self:show(name, range, value)
  return value
end
function Reader:u8(name) return self:integer(name, 1) end
function Reader:u16(name) return self:integer(name, 2) end
function Reader:u32(name) return self:integer(name, 4) end
function Reader:u64(name)
  local range = self:take(8)
  local value = range and range:le_uint64() or UInt64(0)
  self:show(name, range, value)
  return value
end
function Reader:i16(name)
  local range = self:take(2)
  local value = range and range:le_int() or 0
  self:show(name, range, value)
  return value
end
function Reader:bits(n, name)
  local range = self:take(1)
  local value = range and range:uint() or 0
  self:expect(value < 2 ^ n)
  self:show(name, range, value)
  return value
end
function Reader:boolean(name)
  local range = self:take(1)
  local value = range and range:uint() or 0
  self:expect(value < 2)
  self:show(name, range, value == 1)
  return value == 1
end
function Reader:varint(name)
  local from, z = self.at, 0
  for i = 0, 4 do
    local range = self:take(1)
    if not range then return 0 end
    local byte = range:uint()
    if i == 4 and byte > 0x0f then self:fail("varint") end
    z = z + byte % 128 * 2 ^ (7 * i)
    if byte < 128 then
      if i > 0 and byte == 0 then self:fail("varint") end
      break
    end
  end
  local value = z % 2 == 0 and z / 2 or -(z + 1) / 2
  if self.at > from then self:show(name, self.tvb(from, self.at - from), value) end
  return value
end
function Reader:natural(name, least)
  local value = self:varint()
  self:expect(value >= (least or 0))
  if not self.error then self:show(name, self.tvb(self.at - 1, 1), value) end
  return value
end
function Reader:entity(name) return self:natural(name, 1) end
function Reader:bytes(name, size)
  local range = self:take(size)
  self:show(name, range)
  return range
end
function Reader:rest(size)
  size = size or self.size - self.at
  local range = self:take(size)
  if self.error or not self.tree then return size end
  if range then
    self.tree:add(F.data_len, range, size)
    self.tree:add(F.data, range)
  else
    self.tree:add(F.data_len, 0)
  end
  return size
end
-- RFC 3629: shortest form, no surrogates.
local function valid_utf8(text)
  local at = 1
  while at <= #text do
    local lead = text:byte(at)
    local more = lead < 0x80 and 0 or lead >= 0xc2 and lead < 0xe0 and 1 or lead >= 0xe0 and lead < 0xf0 and 2
      or lead >= 0xf0 and lead < 0xf5 and 3
    if not more then return false end
    for i = 1, more do
      local next_byte = text:byte(at + i)
      if not next_byte or next_byte < 0x80 or next_byte > 0xbf then return false end
    end
    local second = text:byte(at + 1)
    if lead == 0xe0 and second < 0xa0 or lead == 0xed and second > 0x9f or lead == 0xf0 and second < 0x90
      or lead == 0xf4 and second > 0x8f then
      return false
    end
    at = at + 1 + more
  end
  return true
end
function Reader:string(name, size)
  local range = self:take(size)
  if self.error then return end
  local text = range and range:raw() or ""
  self:expect(valid_utf8(text))
  if self.tree and not self.error then
    if range then self.tree:add(F[name], range, text) else self.tree:add(F[name], "") end
  end
end
function Reader:f32(name)
  local range = self:take(4)
  if not range then return end
  local bits = range:le_uint()
  self:expect(band(bits, 0x7f800000) ~= 0x7f800000)
  self:show(name, range, range:le_float())
end
function Reader:vec(name) for _ = 1, 3 do self:f32(name) end end
function Reader:qvec(name) for _ = 1, 3 do self:i16(name) end end
function Reader:qrot(yaw_only) for _ = 1, yaw_only and 1 or 3 do self:i16("qrotation") end end
function Reader:symbol()
  local id = self:natural("name_id")
  self:expect(id <= 1024)
  if id ~= 0 then return end
  local size = self:natural()
  self:expect(size >= 1 and size <= 255)
  self:string("name", size)
end
function Reader:state_flags()
  self:expect(self:u8("state") < 0x80)
  if self.direction == "c2s" then return end
  self:expect(self:u8("buffs") < 0x80)
  self:u8("hp")
  self:u8("mana")
end
function Reader:fields(quantised)
  local delta = self:u8("delta")
  self:expect(delta ~= 0 and delta < 0x20)
  local yaw_only = quantised and self:boolean("yaw_only")
  if has(delta, 1) then
    if quantised then self:u16("quadrant") end
    if quantised then self:qvec("qposition") else self:vec("position") end
  end
  if has(delta, 2) then
    if quantised then self:qrot(yaw_only) else self:vec("rotation") end
  end
  if has(delta, 4) then self:u8("anim") end
  if has(delta, 8) then self:state_flags() end
  if has(delta, 16) then
    if quantised then self:qvec("qvelocity") else self:vec("velocity") end
  end
end

-- Messages ------------------------------------------------------------------------------------------------------

local bodies = {}
function bodies.Connect(r)
  r:u16("version"); r:bits(3, "options"); r:u32("build"); r:bytes("public_key", 32); r:bits(1, "has_cookie")
  r:bytes("cookie", 48)
end
function bodies.Cookie(r) r:bytes("cookie", 48) end
function bodies.ConnectionAccepted(r)
  r:bits(1, "mode"); r:bits(3, "options"); r:bytes("public_key", 32); r:u8("tick_rate"); r:u16("heartbeat_interval")
  r:u16("heartbeat_timeout"); r:u64("server_time")
end
function bodies.ConnectionDenied(r) r:u8("reason"); r:u16("retry_after") end
function bodies.Ping(r) r:u16("ping_id"); r:u64("send_time") end
function bodies.Pong(r) r:u16("ping_id"); r:u64("send_time"); r:u16("hold") end
function bodies.Disconnect(r)
  r:u8("reason")
  local size = r:u8()
  r:expect(size <= 64)
  r:string("text", size)
end
function bodies.Ack(r)
  local channel = r:u8("ack_channel")
  r:expect(channel == 1 or channel == 2)
  local count = r:u8()
  r:expect(count >= 1 and count <= 64)
  local last
  for _ = 1, count do
    local sequence = r:u64("sequences")
    if not r.error and last then r:expect(sequence > last) end
    last = sequence
  end
end
function bodies.Fragment(r)
  r:u16("fragment_id")
  local at = r:u16("offset") * 8
  local total = r:u32("total_size")
  local size = r:rest()
  r:expect(total > fragment_data_size and total <= large_payload_max[r.direction], "fragment.total")
  r:expect(at % fragment_data_size == 0 and at < total, "fragment.offset")
  r:expect(size == math.min(total - at, fragment_data_size), "fragment.size")
end
function bodies.ReliableHandshake(r)
  r:expect(r:u8("step") == (r.direction == "c2s" and 0 or 1))
  r:expect(r:u8("window") == 64)
end
function bodies.CryptoTest(r) r:bytes("data", 16) end
bodies.CryptoTestAck = bodies.CryptoTest
function bodies.CheckIntegrity(r)
  local phase = r:u8("phase")
  r:expect(phase == (r.direction == "c2s" and 1 or 0), "direction")
  r:u16("challenge_id")
  r:expect(r:u16("index") <= 1023)
  if phase == 1 then r:bytes("key", 16) end
end
function bodies.RekeyRequest(r) r:u32("epoch"); r:bytes("public_key", 32) end
bodies.RekeyResponse = bodies.RekeyRequest
function bodies.Nop(r) r:rest() end
function bodies.Benchmark(r)
  r:u32("benchmark_id")
  local size = r:natural()
  if not r.error then r:rest(size) end
end
function bodies.CreateEntity(r)
  r:entity("entity_id")
  r:expect(r:u8("entity_type") <= 8)
  local bits = r:bits(4)
  local range = r.at > 0 and r.at <= r.size and r.tvb(r.at - 1, 1)
  r:show("self", range, has(bits, 1))
  r:show("yaw_only", range, has(bits, 2))
  r:symbol()
  if has(bits, 1) then r:u16("map_id") end
  r:vec("position")
  r:qrot(has(bits, 2))
  if has(bits, 4) then r:qvec("qvelocity") end
  r:u8("anim")
  r:state_flags()
  r:u8("faction")
  if has(bits, 8) then r:entity("owner") end
end
function bodies.UpdateEntity(r) r:entity("entity_id"); r:fields(false) end
function bodies.RemoveEntity(r) r:entity("entity_id"); r:expect(r:u8("reason") <= 2) end
function bodies.UpdateEntityQuantized(r) r:entity("entity_id"); r:fields(true) end
function bodies.DeltaSync(r)
  local count = r:natural()
  r:expect(count >= 1 and count <= 255)
  local id = 0
  for _ = 1, count do
    if r.error then return end
    id = id + r:varint()
    r:expect(id >= 1 and id < 2 ^ 31)
    if not r.error then r:show("entity_id", r.tvb(r.at - 1, 1), id) end
    local bits = r:bits(2)
    r:varint("dx")
    r:varint("dy")
    if has(bits, 1) then r:varint("dz") end
    if has(bits, 2) then r:i16("yaw") end
  end
end
function bodies.ActionResult(r)
  r:u16("request_id"); r:entity("source"); r:natural("action")
  r:expect(r:u8("result") <= 6)
  r:u16("cooldown")
  if r:bits(1) == 1 then r:entity("target"); r:u8("target_hp") end
end
function bodies.SyncEntity(r) r:u32("client_time"); r:fields(false) end
function bodies.SyncEntityQuantized(r) r:u32("client_time"); r:fields(true) end
function bodies.EnterToWorld(r) r:symbol(); r:bytes("token", 16); r:u16("map_id") end
function bodies.ActionRequest(r)
  r:u16("request_id"); r:u32("client_time"); r:natural("action")
  local bits = r:bits(2)
  if has(bits, 1) then r:entity("target") end
  if has(bits, 2) then r:u16("quadrant"); r:qvec("qpoint") end
end

local nop, bundle, queue = 0x7d, 0x7e, 0x7f
local game_types = {
  s2c = { [0] = "Benchmark", "CreateEntity", "UpdateEntity", "RemoveEntity", "UpdateEntityQuantized", "RekeyRequest",
    "DeltaSync", "ActionResult", [nop] = "Nop" },
  c2s = { [0] = "SyncEntity", "SyncEntityQuantized", "Pong", "EnterToWorld", "RekeyResponse", "ActionRequest", [nop] = "Nop" },
}
-- Name, who sends it, which flag says so beside Control.
local control_types = {
  [0] = { "Connect", c2s = true }, { "Cookie", s2c = true }, { "ConnectionAccepted", s2c = true },
  { "ConnectionDenied", s2c = true }, { "Ping", s2c = true }, { "Pong", c2s = true },
  { "Disconnect", c2s = true, s2c = true }, { "Ack", c2s = true, s2c = true, purpose = flag.acknowledgment },
  { "Fragment", c2s = true, s2c = true, purpose = flag.fragment },
  { "ReliableHandshake", c2s = true, s2c = true, purpose = flag.reliable_handshake }, { "CryptoTest", c2s = true },
  { "CryptoTestAck", s2c = true }, { "CheckIntegrity", c2s = true, s2c = true },
  { "RekeyRequest", s2c = true, purpose = flag.rekey }, { "RekeyResponse", c2s = true, purpose = flag.rekey },
}
local before_session = { [0] = true, true, [3] = true }

-- One message: read for its error first, so that a broken one shows no fields that no receiver would believe.
local function message(tvb, name, direction, tree, told)
  local body = tvb:len() > 1 and tvb(1):tvb() or ByteArray.new():tvb("empty")
  local function read(under)
    local r = reader(body, direction, under)
    bodies[name](r)
    if not r.error and r.at < r.size then r:fail("trailing") end
    return r.error
  end
  local why = read(nil)
  if why then return why end
  local subtree = tree:add(shadowland, tvb(), name)
  subtree:add(F.type, tvb(0, 1), name)
  read(subtree)
  told[#told + 1] = name
end

local function game_message(tvb, direction, tree, told)
  if tvb:len() == 0 then return "truncated" end
  local name = game_types[direction][tvb(0, 1):uint()]
  if not name then return "type" end
  return message(tvb, name, direction, tree, told)
end

-- Where the messages of a bundle or queue lie: {from, size}; nil when it can not be cut.
local function cut(tvb, form)
  local list, at, size = {}, 1, tvb:len()
  if size < 2 then return nil end
  while at < size do
    if #list == 64 then return nil end
    if form == bundle then
      if at + 2 > size then return nil end
      local length = tvb(at, 2):le_uint()
      if length == 0 or at + 2 + length > size then return nil end
      list[#list + 1] = { at + 2, length }
      at = at + 2 + length
    else
      local marker = tvb:raw(at):find("\xfe\xfe\xfe\xfe", 1, true)
      if not marker then return nil end
      list[#list + 1] = { at, marker - 1 }
      at = at + marker + 3
    end
  end
  return list
end

local function game_payload(tvb, direction, tree, told)
  local first = tvb(0, 1):uint()
  if first ~= bundle and first ~= queue then
    local why = game_message(tvb, direction, tree, told)
    if not why then tree:add(F.form, tvb(0, 1), "single") end
    return why
  end
  local list = cut(tvb, first)
  if not list then return "bundle" end
  tree:add(F.form, tvb(0, 1), first == bundle and "bundle" or "queue")
  for _, place in ipairs(list) do
    local part = place[2] > 0 and tvb(place[1], place[2]):tvb() or ByteArray.new():tvb("empty")
    local why = game_message(part, direction, tree, told)
    if why then
      local item = tree:add(F.message_error, place[2] > 0 and part() or tvb(0, 1), why)
      item:add_proto_expert_info(broken, why)
    end
  end
end

-- Fragments: by connection, direction and id; what a set became, by the packet that completed it.
local sets, wholes = {}, {}
local function to_tvb(text, name)
  return ByteArray.new(text, true):tvb(name)
end

local function add_fragment(tvb, header, direction, number)
  if wholes[number] ~= nil then return wholes[number] end
  local id, total = tvb(1, 2):le_uint(), tvb(5, 4):le_uint()
  local name = table.concat({ header.connection_id, direction, id }, " ")
  local set = sets[name]
  if not set or set.total ~= total then
    set = { total = total, got = 0, parts = {} }
    sets[name] = set
  end
  local at = tvb(3, 2):le_uint() * 8
  if not set.parts[at] then
    set.parts[at] = tvb:raw(9)
    set.got = set.got + #set.parts[at]
  end
  wholes[number] = false
  if set.got == total then
    local text = {}
    for offset = 0, total - 1, fragment_data_size do text[#text + 1] = set.parts[offset] end
    wholes[number] = table.concat(text)
    sets[name] = nil
  end
  return wholes[number]
end

local function inflated(text, direction, tree, title)
  local plain, why = decompress(text, direction)
  if not plain then return nil, why end
  tree:add(F.original_size, #plain)
  return to_tvb(plain, title)
end

local function control_payload(tvb, header, direction, tree, told, number)
  local number_of_type = tvb(0, 1):uint()
  local control = control_types[number_of_type]
  if not control then return "type" end
  if (header.connection_id == 0) ~= (before_session[number_of_type] or false) then return "connection" end
  if header.connection_id ~= 0 and (header.sequence == UInt64(0)) ~= (number_of_type == 2) then return "sequence" end
  if band(header.flags, 0x6c) ~= (control.purpose or 0) then return "flags" end
  if not control[direction] then return "direction" end
  local why = message(tvb, control[1], direction, tree, told)
  if why or control[1] ~= "Fragment" then return why end
  local whole = add_fragment(tvb, header, direction, number)
  if not whole then return nil end
  local payload = to_tvb(whole, "Put together")
  local subtree = tree:add(shadowland, payload(), "Put together: " .. #whole .. " bytes")
  subtree:add(F.reassembled, true)
  if has(header.flags, flag.compressed) then
    payload, why = inflated(whole, direction, subtree, "Put together, decompressed")
  end
  if payload then why = game_payload(payload, direction, subtree, told) end
  if why then subtree:add(F.message_error, why):add_proto_expert_info(broken, why) end
end

-- Datagrams -----------------------------------------------------------------------------------------------------

local function header_error(h, channel_byte)
  if channel_byte % 4 == 3 or has(channel_byte, 0x7c) then return "channel" end
  local sealing = band(h.flags, 3)
  local purposes = 0
  for _, purpose in ipairs({ "rekey", "fragment", "acknowledgment", "reliable_handshake" }) do
    if has(h.flags, flag[purpose]) then purposes = purposes + 1 end
  end
  local control = has(h.flags, flag.control)
  if sealing == 1 or sealing == 2 or has(channel_byte, 0x80) and sealing == 0 or purposes > 1
    or not control and has(h.flags, 0x68)
    or has(h.flags, flag.compressed) and control and not has(h.flags, flag.fragment) then
    return "flags"
  end
  local bare = h.flags == flag.control and h.channel == 0
  local zero = h.sequence == UInt64(0)
  if h.connection_id == 0 and not (bare and zero) then return "connection" end
  if h.sequence:higher() >= 2 ^ 30 then return "sequence" end
  if h.connection_id ~= 0 and zero and not bare then return "sequence" end
end

local function add_header(tvb, tree)
  local h = { connection_id = tvb(0, 4):le_uint(), flags = tvb(5, 1):uint(), sequence = tvb(6, 8):le_uint64() }
  local channel_byte = tvb(4, 1):uint()
  h.channel, h.key_phase = channel_byte % 4, has(channel_byte, 0x80) and 1 or 0
  tree:add_le(F.connection_id, tvb(0, 4))
  tree:add(F.channel, tvb(4, 1), h.channel)
  tree:add(F.key_phase, tvb(4, 1), h.key_phase)
  local flags = tree:add(F.flags, tvb(5, 1))
  for _, name in ipairs(flag_names) do flags:add(F["flags." .. name], tvb(5, 1)) end
  tree:add_le(F.sequence, tvb(6, 8))
  return h, header_error(h, channel_byte)
end

-- Opens what is sealed with each key that may be its: nil without keys, false when none fits.
local opened = {}
local function unseal(tvb, h, direction, number)
  if opened[number] ~= nil then return opened[number] end
  local epochs = keys[h.connection_id]
  if not epochs then return nil end
  opened[number] = false
  for epoch, key in pairs(epochs) do
    local payload = epoch % 2 == h.key_phase and open_sealed(tvb:raw(), key[direction])
    if payload then
      opened[number] = { epoch = epoch, payload = payload }
      break
    end
  end
  return opened[number]
end

local function dissect(tvb, direction, tree, told, number)
  local size = tvb:len()
  if size < plain_size_min or size > datagram_size_max then return "size" end
  local h, why = add_header(tvb, tree)
  if why then return why end
  local payload
  if not has(h.flags, flag.encrypted) then
    tree:add_le(F.crc, tvb(size - crc_size, crc_size))
    if crc32c(tvb:raw(0, size - crc_size)) ~= tvb(size - crc_size, crc_size):le_uint() then return "crc" end
    payload = tvb(header_size, size - header_size - crc_size):tvb()
  else
    if size < sealed_size_min then return "size" end
    tree:add(F.sealed, tvb(header_size, size - header_size - tag_size))
    tree:add(F.tag, tvb(size - tag_size, tag_size))
    local found = unseal(tvb, h, direction, number)
    if found == nil then
      told[#told + 1] = "Sealed"
      return
    end
    if not found then return "tag" end
    tree:add(F.key_epoch, found.epoch)
    payload = to_tvb(found.payload, "Opened")
  end
  if has(h.flags, flag.control) then return control_payload(payload, h, direction, tree, told, number) end
  if has(h.flags, flag.compressed) then
    payload, why = inflated(payload:raw(), direction, tree, "Decompressed")
    if not payload then return why end
  end
  return game_payload(payload, direction, tree, told)
end

function shadowland.dissector(tvb, pinfo, root)
  pinfo.cols.protocol = "Shadowland"
  if keys_from ~= shadowland.prefs.keys then load_keys(shadowland.prefs.keys) end
  local direction = pinfo.dst_port == shadowland.prefs.port and "c2s" or "s2c"
  local tree = root:add(shadowland, tvb())
  tree:add(F.direction, direction)
  local told = {}
  local why = dissect(tvb, direction, tree, told, pinfo.number)
  if why then
    tree:add(F.error, why):add_proto_expert_info(broken, why)
    told = { "broken: " .. why }
  end
  pinfo.cols.info = direction .. " " .. table.concat(told, ", ")
  return tvb:len()
end

local registered
local function register()
  local ports = DissectorTable.get("udp.port")
  if registered then ports:remove(registered, shadowland) end
  registered = shadowland.prefs.port
  ports:add(registered, shadowland)
end
function shadowland.prefs_changed()
  register()
  load_keys(shadowland.prefs.keys)
  opened = {}
end
function shadowland.init()
  sets, wholes, opened = {}, {}, {}
end
register()
