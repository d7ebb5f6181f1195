-- Dissector of hito/1 (Protos/PROTOCOL.md) for Wireshark and tshark. docs/wireshark.md says how to use it;
-- Tests/EndToEnd/test_wireshark.py holds it to a captured run and to the contract.

local hito = Proto("hito", "Hito wire protocol")

local KINDS = {
  [1] = "HELLO", [2] = "CALL", [3] = "MESSAGE", [4] = "END", [5] = "CANCEL", [6] = "CREDIT", [7] = "PING",
  [8] = "PONG", [9] = "GOAWAY", [10] = "HEAD",
}
local REASONS = {
  [0] = "NO_ERROR", [1] = "PROTOCOL_ERROR", [2] = "FRAME_TOO_LARGE", [3] = "FLOW_CONTROL", [4] = "HELLO_TIMEOUT",
  [5] = "ABUSE", [6] = "KEEPALIVE_TIMEOUT", [7] = "INTERNAL", [8] = "IDLE", [9] = "MAX_AGE",
}
local STATUSES = {
  [0] = "OK", [1] = "CANCELLED", [2] = "UNKNOWN", [3] = "INVALID_ARGUMENT", [4] = "DEADLINE_EXCEEDED",
  [5] = "NOT_FOUND", [6] = "ALREADY_EXISTS", [7] = "PERMISSION_DENIED", [8] = "RESOURCE_EXHAUSTED",
  [9] = "FAILED_PRECONDITION", [10] = "ABORTED", [11] = "OUT_OF_RANGE", [12] = "UNIMPLEMENTED", [13] = "INTERNAL",
  [14] = "UNAVAILABLE", [15] = "DATA_LOSS", [16] = "UNAUTHENTICATED",
}

-- The messages of a method are named after it, but for these: method -> request, response (nil: as usual).
local MESSAGES = {
  ["hito.v1.HealthService/Check"] = { "HealthCheckRequest", "HealthCheckResponse" },
  ["hito.v1.HealthService/Watch"] = { "HealthWatchRequest", "HealthCheckResponse" },
  ["hito.v1.GoalService/WatchRun"] = { nil, "GenerateGoalResponse" },
  ["hito.v1.CodeValidationService/WatchValidation"] = { nil, "ValidateCodeResponse" },
  ["hito.v1.RetrievalService/SearchCourseDocuments"] = { nil, "SearchResponse" },
  ["hito.v1.RetrievalService/SearchSimilarGoals"] = { nil, "SearchResponse" },
  ["hito.v1.RetrievalService/SearchValidatedCode"] = { nil, "SearchResponse" },
}

local f = {
  length = ProtoField.uint32("hito.length", "Payload length"),
  kind = ProtoField.uint8("hito.kind", "Kind", base.DEC, KINDS),
  flags = ProtoField.uint8("hito.flags", "Flags", base.HEX),
  flag_end = ProtoField.bool("hito.flags.end", "END", 8, nil, 0x01),
  flag_more = ProtoField.bool("hito.flags.more", "MORE", 8, nil, 0x02),
  flag_message = ProtoField.bool("hito.flags.has_message", "HAS_MESSAGE", 8, nil, 0x04),
  flag_compressed = ProtoField.bool("hito.flags.compressed", "COMPRESSED", 8, nil, 0x08),
  stream = ProtoField.uint32("hito.stream", "Stream"),
  block = ProtoField.uint16("hito.block.length", "Block length"),
  tag = ProtoField.uint8("hito.tag", "Tag"),
  unknown = ProtoField.bytes("hito.unknown", "Unknown field"),
  message = ProtoField.bytes("hito.message", "Message bytes"),
  method = ProtoField.string("hito.method", "Method"),
  amount = ProtoField.uint32("hito.credit", "Credit"),
  opaque = ProtoField.bytes("hito.opaque", "Opaque"),
  last_stream = ProtoField.uint32("hito.goaway.last_stream", "Last stream"),
  reason = ProtoField.uint16("hito.goaway.reason", "Reason", base.DEC, REASONS),
  text = ProtoField.string("hito.goaway.text", "Text"),
}

-- Blocks by kind: tag -> name of the field, its label and its type (W4.2, W5.2, W7.2, W7.7).
local BLOCKS = {
  [1] = {
    [1] = { "hello.minor_version", "Minor version", "u16" }, [2] = { "hello.agent", "Agent", "text" },
    [3] = { "hello.frame_payload_max", "Maximum frame payload", "u32" },
    [4] = { "hello.message_max", "Maximum message", "u32" },
    [5] = { "hello.calls_max", "Maximum concurrent calls", "u32" },
    [6] = { "hello.stream_credit", "Credit on every new stream", "u32" },
    [7] = { "hello.connection_credit", "Credit on the connection", "u32" },
    [8] = { "hello.token", "Bearer token", "text" },
    [9] = { "hello.ping_interval_ms", "Minimum interval between PINGs, ms", "u32" },
    [10] = { "hello.server_id", "Server id", "text" },
    [11] = { "hello.encodings", "Encodings that it reads", "bytes" },
  },
  [2] = {
    [1] = { "call.method", "Method path", "text" }, [2] = { "call.timeout_us", "Timeout, µs", "u64" },
    [3] = { "call.idempotency_key", "Idempotency key", "text" },
    [4] = { "call.traceparent", "Traceparent", "text" }, [5] = { "call.token", "Bearer token", "text" },
    [6] = { "call.metadata", "Metadata", "metadata" },
    [7] = { "call.encodings", "Encodings of replies", "bytes" },
  },
  [4] = {
    [1] = { "end.status", "Status", "u16", STATUSES }, [2] = { "end.text", "Status message", "text" },
    [3] = { "end.details", "Details", "details" }, [4] = { "end.resume_cursor", "Resume cursor", "text" },
    [6] = { "end.trailer", "Trailer", "metadata" }, [7] = { "end.server_us", "Time in the server, µs", "u64" },
    [8] = { "end.not_started", "The call was not started", "empty" },
  },
  [10] = {
    [6] = { "head.metadata", "Metadata", "metadata" },
  },
}
local WIDTHS = { u16 = 2, u32 = 4, u64 = 8, empty = 0 }

local all = {}
for _, field in pairs(f) do all[#all + 1] = field end
for _, fields in pairs(BLOCKS) do
  for _, field in pairs(fields) do
    local name, label, kind, values = "hito." .. field[1], field[2], field[3], field[4]
    if kind == "u16" then
      field.proto = ProtoField.uint16(name, label, base.DEC, values)
    elseif kind == "u32" then
      field.proto = ProtoField.uint32(name, label)
    elseif kind == "u64" then
      field.proto = ProtoField.uint64(name, label)
    elseif kind == "details" or kind == "bytes" then
      field.proto = ProtoField.bytes(name, label)
    elseif kind == "empty" then
      field.proto = ProtoField.none(name, label)
    else
      field.proto = ProtoField.string(name, label)
    end
    all[#all + 1] = field.proto
  end
end
hito.fields = all

local malformed = ProtoExpert.new("hito.malformed", "Breaks the protocol", expert.group.MALFORMED, expert.severity.ERROR)
local failed = ProtoExpert.new("hito.failed", "The call failed", expert.group.RESPONSE_CODE, expert.severity.NOTE)
hito.experts = { malformed, failed }

local tcp_stream = Field.new("tcp.stream")
local tcp_source = Field.new("tcp.srcport")

-- What is known of the calls of a connection: connection -> stream -> { path, open fragments }.
local calls = {}
-- What a frame was found to be at the first look, since packets are looked at in any order later.
local seen = {}

function hito.init()
  calls = {}
  seen = {}
end

local function protobuf(bytes, pinfo, tree, name)
  pinfo.private["pb_msg_type"] = "message," .. name
  pcall(function() Dissector.get("protobuf"):call(bytes:tvb(), pinfo, tree) end)
end

-- The type of a call's messages in a direction.
local function message_type(path, is_request)
  local package, method = path:match("^(.*)%.[^./]+/([^/]+)$")
  if not package then return nil end
  local own = MESSAGES[path]
  local name = own and own[is_request and 1 or 2]
  return package .. "." .. (name or (method .. (is_request and "Request" or "Response")))
end

-- A block at an offset; the offset behind it, and the values by tag.
local function block(buffer, offset, stop, kind, tree, pinfo)
  local values = {}
  if stop - offset < 2 then
    tree:add_proto_expert_info(malformed, "W3.1: no block")
    return stop, values
  end
  local size = buffer(offset, 2):uint()
  local inner = tree:add(hito, buffer(offset, math.min(2 + size, stop - offset)), "Block")
  inner:add(f.block, buffer(offset, 2))
  offset = offset + 2
  local limit = offset + size
  if limit > stop then
    inner:add_proto_expert_info(malformed, "W3.3: the block runs past its frame")
    return stop, values
  end
  while offset < limit do
    if limit - offset < 3 or offset + 3 + buffer(offset + 1, 2):uint() > limit then
      inner:add_proto_expert_info(malformed, "W3.3: a field runs past its block")
      return limit, values
    end
    local tag, length = buffer(offset, 1):uint(), buffer(offset + 1, 2):uint()
    local field = BLOCKS[kind][tag]
    local whole = buffer(offset, 3 + length)
    local value = length > 0 and buffer(offset + 3, length) or nil
    if not field then
      inner:add(f.unknown, whole):append_text(" (tag " .. tag .. ")")
    elseif WIDTHS[field[3]] and WIDTHS[field[3]] ~= length then
      inner:add(f.unknown, whole):add_proto_expert_info(malformed, "W3.3: tag " .. tag .. " of " .. length .. " bytes")
    elseif field[3] == "metadata" then
      local key = value and value(0, 1):uint() or 0
      if not value or 1 + key > length then
        inner:add(f.unknown, whole):add_proto_expert_info(malformed, "W5.3: metadata runs past its field")
      else
        local text = (key > 0 and value(1, key):string() or "") .. ": "
        if length > 1 + key then
          local content = value(1 + key, length - 1 - key)
          -- Of keys that end with -bin the value is bytes (W5.3).
          text = text .. (text:match("%-bin: $") and content:bytes():tohex() or content:string(ENC_UTF_8))
        end
        inner:add(field.proto, whole, text)
      end
    elseif field[3] == "text" then
      values[tag] = value and value:string(ENC_UTF_8) or ""
      inner:add(field.proto, whole, values[tag])
    elseif field[3] == "empty" then
      values[tag] = true
      inner:add(field.proto, whole)
    else
      if value then inner:add(field.proto, value) end
      if field[3] == "u16" then values[tag] = value:uint() end
      if field[3] == "details" and value then protobuf(value, pinfo, inner, "hito.v1.ErrorDetails") end
    end
    offset = offset + 3 + length
  end
  return limit, values
end

-- Message bytes: a whole message is shown by its type, fragments as bytes.
local function message(buffer, offset, stop, call, is_request, flags, tree, pinfo, key)
  local has_more = bit32.band(flags, 2) ~= 0
  local side = is_request and "request" or "response"
  if seen[key] == nil then
    seen[key] = not has_more and not (call and call[side])
    if call then call[side] = has_more end
  end
  local bytes = stop > offset and buffer(offset, stop - offset) or nil
  if bytes then tree:add(f.message, bytes) end
  local name = call and call.path and message_type(call.path, is_request)
  if not (seen[key] and bytes and name) then return end
  if bit32.band(flags, 8) ~= 0 then
    -- `u8 encoding | u32 size | data` (W6.9).
    local expanded = stop - offset > 5 and bytes(5):uncompress("Expanded message") or nil
    if not expanded then
      tree:add_proto_expert_info(malformed, "W6.9: it does not expand")
      return
    end
    bytes = expanded
  end
  protobuf(bytes, pinfo, tree, name)
end

local function frame(buffer, offset, length, pinfo, tree, key)
  local kind, flags = buffer(offset + 4, 1):uint(), buffer(offset + 5, 1):uint()
  local stream = buffer(offset + 6, 4):uint()
  local start, stop = offset + 10, offset + 10 + length
  local name = KINDS[kind] or ("kind " .. kind)
  local summary = stream > 0 and (name .. " " .. stream) or name
  local node = tree:add(hito, buffer(offset, 10 + length), "Hito " .. summary)
  node:add(f.length, buffer(offset, 4))
  node:add(f.kind, buffer(offset + 4, 1))
  local bits = node:add(f.flags, buffer(offset + 5, 1))
  bits:add(f.flag_end, buffer(offset + 5, 1))
  bits:add(f.flag_more, buffer(offset + 5, 1))
  bits:add(f.flag_message, buffer(offset + 5, 1))
  bits:add(f.flag_compressed, buffer(offset + 5, 1))
  node:add(f.stream, buffer(offset + 6, 4))
  local connection = tcp_stream().value
  calls[connection] = calls[connection] or {}
  local call = calls[connection][stream]
  if kind == 1 then
    block(buffer, start, stop, 1, node, pinfo)
    calls[connection].client = calls[connection].client or tcp_source().value
  elseif kind == 2 then
    local after, values = block(buffer, start, stop, 2, node, pinfo)
    if not call then
      call = { path = values[1] or "" }
      calls[connection][stream] = call
    end
    summary = summary .. " " .. call.path
    if bit32.band(flags, 4) ~= 0 then message(buffer, after, stop, call, true, flags, node, pinfo, key) end
  elseif kind == 3 then
    local is_request = calls[connection].client == tcp_source().value
    message(buffer, start, stop, call, is_request, flags, node, pinfo, key)
  elseif kind == 4 and length > 0 then
    local after, values = block(buffer, start, stop, 4, node, pinfo)
    local status = values[1] or 0
    summary = summary .. " " .. (STATUSES[status] or status)
    if status ~= 0 then node:add_proto_expert_info(failed) end
    if bit32.band(flags, 4) ~= 0 then message(buffer, after, stop, call, false, flags, node, pinfo, key) end
  elseif kind == 10 and length > 0 then
    block(buffer, start, stop, 10, node, pinfo)
  elseif kind == 6 and length == 4 then
    node:add(f.amount, buffer(start, 4))
    summary = summary .. " +" .. buffer(start, 4):uint()
  elseif (kind == 7 or kind == 8) and length == 8 then
    node:add(f.opaque, buffer(start, 8))
  elseif kind == 9 and length >= 6 then
    node:add(f.last_stream, buffer(start, 4))
    node:add(f.reason, buffer(start + 4, 2))
    if length > 6 then node:add(f.text, buffer(start + 6, length - 6)) end
    local reason = buffer(start + 4, 2):uint()
    summary = summary .. " " .. (REASONS[reason] or reason)
  elseif length > 0 or not KINDS[kind] then
    node:add_proto_expert_info(malformed, "W2.5: not such a frame")
  end
  if call and call.path then node:add(f.method, call.path):set_generated() end
  node:set_text("Hito " .. summary)
  return summary
end

function hito.dissector(buffer, pinfo, tree)
  pinfo.cols.protocol = "HITO"
  local offset, summaries = 0, {}
  while offset < buffer:len() do
    local left = buffer:len() - offset
    local length = left >= 10 and buffer(offset, 4):uint() or 0
    -- 1 MiB is the largest frame that anybody may ask for (W4.4).
    if left >= 10 and length > 1048576 then
      tree:add(hito, buffer(offset)):add_proto_expert_info(malformed, "W2.2: a frame of " .. length .. " bytes")
      break
    end
    if left < 10 + length then
      pinfo.desegment_offset = offset
      pinfo.desegment_len = left < 10 and DESEGMENT_ONE_MORE_SEGMENT or 10 + length - left
      break
    end
    local key = table.concat({ pinfo.number, offset, buffer:len(), buffer(offset + 4, 6):bytes():tohex() }, ":")
    summaries[#summaries + 1] = frame(buffer, offset, length, pinfo, tree, key)
    offset = offset + 10 + length
  end
  if #summaries > 0 then pinfo.cols.info = table.concat(summaries, ", ") end
  return buffer:len()
end

DissectorTable.get("tls.alpn"):add("hito/1", hito)
