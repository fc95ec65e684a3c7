// Objects, strings, buffers, compression, hashes, promises, worker threads, the collector under pressure.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const zlib = require('zlib');
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');

let state = 7;
const random = (n) => { state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff; return (state >> 8) % n; };

if (!isMainThread) {
    const table = new Map();
    for (let i = 0; i < 50000; i++) table.set('k' + (i * workerData % 7919), new Array(i % 30).fill(i));
    parentPort.postMessage([...table.values()].reduce((sum, list) => sum + list.length, 0));
} else {
    const words = Array.from({ length: 50000 }, () =>
        Array.from({ length: 1 + random(8) }, () => String.fromCharCode(97 + random(26))).join(''));
    const count = new Map();
    for (const word of words) count.set(word, (count.get(word) || 0) + 1);
    const sorted = [...count].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    console.log(sorted.slice(0, 5));
    const text = words.join(' ');
    console.log(text.length, text.match(/[aeiou]{2,}/g).length, crypto.createHash('sha256').update(text).digest('hex'));
    const packed = zlib.gzipSync(text, { level: 6 });
    console.log(packed.length, zlib.gunzipSync(packed).toString() === text);
    const tree = (depth) => depth ? { left: tree(depth - 1), right: tree(depth - 1) } : {};
    for (let i = 0; i < 20; i++) tree(14);
    const buffers = Array.from({ length: 300 }, (_, i) => Buffer.alloc(i * 1000, i));
    console.log(crypto.createHash('md5').update(Buffer.concat(buffers)).digest('hex'));
    fs.writeFileSync('node.out', JSON.stringify(sorted));
    const workers = [1, 2, 3].map((number) => new Promise((resolve, reject) => {
        const worker = new Worker(__filename, { workerData: number });
        worker.on('message', resolve);
        worker.on('error', reject);
    }));
    const deflated = [1, 6, 9].map((level) => new Promise((resolve, reject) =>
        zlib.deflate(text, { level }, (error, result) => error ? reject(error) : resolve(result.length))));
    Promise.all([...workers, ...deflated]).then((results) => console.log(results));
}
