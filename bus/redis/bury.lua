#!lua
-- A node is declared dead by whoever is the first, unless it has given a sign of life.
-- KEYS  1 the hash of nodes; ARGV  1 the node, 2 its count of beats, as it was seen, 3 channel
-- Answers 1: it was declared dead now; 0.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
	return 0
end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('SPUBLISH', ARGV[3], 'dead ' .. ARGV[1])
return 1
