#!lua
-- To be the home of a practice: see struct px_bus_claim in praxis/host/bus.h. Keys as in commit.lua.
-- ARGV  1 node, 2 generation that is known, 3 a node that is dead, or empty,
--       4 what all keys of the partition begin with, 5 the practice in sets of homes, 6 version,
--       7 revision that is known, 8 1: what is lost is waited for no more
-- Answers 0, generation, revision, tables and histories; 2 no data; 3 busy, whose, generation and
-- revision; 4 of a newer version.
local meta, base = KEYS[1], string.sub(KEYS[1], 1, -2)
local node, shard, member = ARGV[1], ARGV[4], ARGV[5]
local kept = redis.call('HMGET', meta, 'g', 'n', 'r', 'v', 'dp')
local gen, home, rev = tonumber(kept[1] or 0), kept[2] or '', kept[3] or '0'
local known_gen, is_sure = tonumber(ARGV[2]), ARGV[8] == '1'

if tonumber(kept[4] or 0) > tonumber(ARGV[6]) then
	return { 4 }
elseif gen < known_gen and not is_sure then
	return { 2 }
elseif home ~= '' and home ~= node and home ~= ARGV[3] then
	return { 3, home, kept[1], rev }
end
if kept[5] then
	redis.call('DEL', base .. 'd')
	redis.call('HDEL', meta, 'dg', 'dn', 'dr', 'dp', 'dw')
end
if gen < known_gen then
	gen = known_gen
	rev = tonumber(rev) > tonumber(ARGV[7]) and rev or ARGV[7]
end
local new_gen = string.format('%.0f', gen + 1)
redis.call('HSET', meta, 'g', new_gen, 'n', node, 'r', rev, 'v', ARGV[6])
if home ~= '' and home ~= node then
	redis.call('SREM', shard .. 'homes:' .. home, member)
end
redis.call('SADD', shard .. 'homes:' .. node, member)

local histories = {}
for _, key in ipairs(redis.call('SMEMBERS', base .. 'k')) do
	histories[#histories + 1] = key
	histories[#histories + 1] = redis.call('XRANGE', base .. 'h:' .. key, '-', '+')
end
return { 0, new_gen, rev, redis.call('HGETALL', base .. 'c'), redis.call('HGETALL', base .. 's'),
	redis.call('HGETALL', base .. 'r'), redis.call('HGETALL', base .. 'e'),
	redis.call('HGETALL', base .. 'v'), histories }
