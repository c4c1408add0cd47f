// Upper bounds of the buckets in milliseconds. 300 and 1500 are the objectives for product reads and checkouts; $request_time
// is in whole milliseconds.
function bounds() {
    return [1, 2, 5, 10, 25, 50, 100, 200, 300, 500, 1000, 1500, 2500, 5000, 10000, Infinity];
}

export default { bounds };
