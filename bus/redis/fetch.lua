#!lua
-- What a node may have missed of a practice: see struct px_bus_fetch in praxis/host/bus.h.
-- KEYS as in commit.lua; ARGV  1 node, 2 revision after which
-- Answers 0, or 2 some may be lost, home, generation, revision, frames; 5 nothing is known.
local meta, base = KEYS[1], string.sub(KEYS[1], 1, -2)
local kept = redis.call('HMGET', meta, 'g', 'n', 'r', 'o')
if not kept[1] then
	return { 5 }
end
local code = tonumber(ARGV[2]) < tonumber(kept[4] or 0) and 2 or 0
local answer = { code, kept[2] or '', kept[1], kept[3] }
for _, entry in ipairs(redis.call('XRANGE', base .. 'o', '(' .. ARGV[2] .. '-0', '+')) do
	local outs = cmsgpack.unpack(entry[2][2])
	for i = 1, #outs, 2 do
		if outs[i] == ARGV[1] then
			answer[#answer + 1] = outs[i + 1]
		end
	end
end
return answer
