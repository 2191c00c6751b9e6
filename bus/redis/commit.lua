#!lua
-- A revision of a practice, or a part of one: see struct px_bus_commit in praxis/host/bus.h.
-- KEYS  1 the practice's hash: g generation, n node that is its home, r revision, v version, o see below,
--         and of a revision that is not whole yet: dg, dn, dr the same, dp how many parts there are, dw whether it is whole
-- ARGV  1 node, 2 generation, 3 previous revision, 4 revision, 5 flags: p a part, w whole, l the last,
--       6 part, 7 what all keys of the partition begin with, 8 the practice in sets of homes, 9 version,
--       10 how many operations; of each: what to do and in which table, key, seq, value;
--       then of each output: node, frame
-- Answers 0, 1 stale, 2 no data, and which nodes did not get an output.
local meta, base = KEYS[1], string.sub(KEYS[1], 1, -2)
local node, gen, rev, flags = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4]), ARGV[5]
local is_part, is_whole = string.find(flags, 'p'), string.find(flags, 'w')
local is_last, part = string.find(flags, 'l'), tonumber(ARGV[6])
local shard, member = ARGV[7], ARGV[8]
local kept = redis.call('HMGET', meta, 'g', 'n', 'r', 'dg', 'dn', 'dr', 'dp', 'dw')
local kept_gen, home, kept_rev = tonumber(kept[1] or 0), kept[2] or '', tonumber(kept[3] or 0)
local is_home = kept_gen == gen and home == node

if kept_gen == gen and kept_rev >= rev and (is_home or (is_last and home == '')) then
	return { 0 } -- it was carried out before
end
local is_put_back = is_whole and (kept_gen < gen or (is_home and kept_rev <= rev))
if not is_put_back then
	if kept_gen < gen then
		return { 2 }
	elseif not is_home then
		return { 1 }
	elseif kept_rev ~= tonumber(ARGV[3]) then
		return { 2 }
	end
end
local parts = 0
if kept[4] == ARGV[2] and kept[5] == node and kept[6] == ARGV[4] then
	parts = tonumber(kept[7])
end
if parts > part and is_part then
	return { 0 }
elseif parts ~= part then
	return { 2 }
end

-- Operations and outputs as they stand in the arguments, one behind the other.
local first = 11
local behind = first + 4 * tonumber(ARGV[10])

if is_part then
	local ops, outs = {}, {}
	for i = first, behind - 1 do
		ops[#ops + 1] = ARGV[i]
	end
	for i = behind, #ARGV do
		outs[#outs + 1] = ARGV[i]
	end
	if part == 0 then
		redis.call('DEL', base .. 'd')
		redis.call('HSET', meta, 'dw', is_whole and 1 or 0)
	end
	redis.call('RPUSH', base .. 'd', cmsgpack.pack({ ops, outs }))
	redis.call('HSET', meta, 'dg', ARGV[2], 'dn', node, 'dr', ARGV[4], 'dp', part + 1)
	return { 0 }
end

-- A channel's history is a stream whose ids are its seqs. One that is not behind the last is rare.
local function remember(key, seq, value)
	local stream = base .. 'h:' .. key
	local added = redis.pcall('XADD', stream, seq .. '-0', 'd', value)
	if type(added) == 'table' and added.err then
		local entries, is_added = redis.call('XRANGE', stream, '-', '+'), false
		redis.call('DEL', stream)
		for _, entry in ipairs(entries) do
			local other = tonumber(string.match(entry[1], '^%d+'))
			if not is_added and other >= tonumber(seq) then
				redis.call('XADD', stream, seq .. '-0', 'd', value)
				is_added = true
			end
			if other ~= tonumber(seq) then
				redis.call('XADD', stream, entry[1], 'd', entry[2][2])
			end
		end
		if not is_added then
			redis.call('XADD', stream, seq .. '-0', 'd', value)
		end
	end
	redis.call('SADD', base .. 'k', key)
end

local function forget(command, key, ...)
	local stream = base .. 'h:' .. key
	redis.call(command, stream, ...)
	if redis.call('XLEN', stream) == 0 then
		redis.call('DEL', stream)
		redis.call('SREM', base .. 'k', key)
	end
end

local function carry_out(list, from, to)
	for i = from, to, 4 do
		local change, where = string.sub(list[i], 1, 1), string.sub(list[i], 2, 2)
		local key, seq = list[i + 1], list[i + 2]
		if change == 'T' then
			forget('XTRIM', key, 'MINID', '=', seq .. '-0')
		elseif where == 'h' and change == 'S' then
			remember(key, seq, list[i + 3])
		elseif where == 'h' then
			forget('XDEL', key, seq .. '-0')
		elseif change == 'S' then
			redis.call('HSET', base .. where, key, list[i + 3])
		else
			redis.call('HDEL', base .. where, key)
		end
	end
end

local is_anew = is_whole
if parts > 0 then
	is_anew = kept[8] == '1'
end
if is_anew then
	for _, key in ipairs(redis.call('SMEMBERS', base .. 'k')) do
		redis.call('DEL', base .. 'h:' .. key)
	end
	redis.call('DEL', base .. 'c', base .. 's', base .. 'r', base .. 'e', base .. 'v', base .. 'k',
		base .. 'o')
end
local outs = {}
if kept[7] then
	if parts > 0 then
		for _, packed in ipairs(redis.call('LRANGE', base .. 'd', 0, -1)) do
			local piece = cmsgpack.unpack(packed)
			carry_out(piece[1], 1, #piece[1])
			for _, out in ipairs(piece[2]) do
				outs[#outs + 1] = out
			end
		end
	end
	redis.call('DEL', base .. 'd')
	redis.call('HDEL', meta, 'dg', 'dn', 'dr', 'dp', 'dw')
end
carry_out(ARGV, first, behind - 1)
for i = behind, #ARGV do
	outs[#outs + 1] = ARGV[i]
end

redis.call('HSET', meta, 'g', ARGV[2], 'n', is_last and '' or node, 'r', ARGV[4], 'v', ARGV[9])
if is_anew then
	-- o: of revisions up to this one, outputs may be missing.
	redis.call('HSET', meta, 'o', string.format('%.0f', rev - 1))
end
if is_put_back then
	if home ~= '' and home ~= node then
		redis.call('SREM', shard .. 'homes:' .. home, member)
	end
	redis.call('SADD', shard .. 'homes:' .. node, member)
end
if is_last then
	redis.call('SREM', shard .. 'homes:' .. node, member)
end

local answer = { 0 }
if #outs > 0 then
	local stream = base .. 'o'
	redis.call('XADD', stream, ARGV[4] .. '-0', 'd', cmsgpack.pack(outs))
	if redis.call('XLEN', stream) > 64 then
		local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1][1]
		redis.call('XDEL', stream, oldest)
		redis.call('HSET', meta, 'o', string.match(oldest, '^%d+'))
	end
	for i = 1, #outs, 2 do
		if redis.call('SPUBLISH', shard .. 'n:' .. outs[i], outs[i + 1]) == 0 then
			answer[#answer + 1] = outs[i]
		end
	end
end
return answer
