#!lua name=shop
-- A function library, so that backups have one to carry.
redis.register_function('price_with_tax', function(keys, args)
    return tostring(tonumber(args[1]) * 1.19)
end)
redis.register_function{
    function_name = 'stock_of',
    callback = function(keys, args)
        return redis.call('GET', keys[1])
    end,
    flags = {'no-writes'},
}
