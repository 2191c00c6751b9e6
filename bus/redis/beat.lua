#!lua
-- A sign of life.
-- KEYS  1 the hash of nodes: of each its count of beats; epoch, when the hash was made, and age
-- ARGV  1 node, 2 its count, 3 the epoch that it knows, or empty, 4 one to begin with, 5 channel
-- Answers 0, epoch, its age in ms, all nodes; 1 the node was declared dead.
local nodes, node = KEYS[1], ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kept = redis.call('HMGET', nodes, 'epoch', 'since', node)
if not kept[1] then
	kept = { ARGV[4], string.format('%.0f', now), false }
	redis.call('HSET', nodes, 'epoch', kept[1], 'since', kept[2])
elseif kept[1] == ARGV[3] and not kept[3] then
	return { 1 }
end
redis.call('HSET', nodes, node, ARGV[2])
redis.call('SPUBLISH', ARGV[5], 'beat ' .. node .. ' ' .. ARGV[2])
return { 0, kept[1], math.max(0, now - tonumber(kept[2] or now)), redis.call('HGETALL', nodes) }
