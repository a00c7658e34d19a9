// SPDX-License-Identifier: Apache-2.0
//! Works on the directory /data and says what it sees; exits with the number that it is given.

const std = @import("std");
const Io = std.Io;

fn lessThan(_: void, a: []const u8, b: []const u8) bool {
    return std.mem.lessThan(u8, a, b);
}

pub fn main(init: std.process.Init) !u8 {
    const io = init.io;
    const arena = init.arena.allocator();
    var buffer: [256]u8 = undefined;
    var stdout = Io.File.stdout().writerStreaming(io, &buffer);
    const out = &stdout.interface;

    const args = try init.minimal.args.toSlice(arena);
    for (args) |arg| try out.print("argument {s}\n", .{arg});
    try out.print("mood {s}\n", .{init.environ_map.get("MOOD") orelse "unknown"});

    const data = init.preopens.get("/data").?.dir;
    const text = try data.readFileAlloc(io, "input.txt", arena, .limited(1000));
    try data.createDirPath(io, "made/deep");
    const file = try data.createFile(io, "made/deep/copy.txt", .{});
    try file.writeStreamingAll(io, text);
    try file.writePositionalAll(io, "TEXT", 2);
    try out.print("length {d}\n", .{try file.length(io)});
    try file.setLength(io, 10);
    file.close(io);
    try data.rename("made/deep/copy.txt", data, "made/moved.txt", io);
    try data.writeFile(io, .{ .sub_path = "made/gone.txt", .data = "gone" });
    try data.deleteFile(io, "made/gone.txt");
    try out.print("moved {s}\n", .{try data.readFileAlloc(io, "made/moved.txt", arena, .limited(1000))});
    if (data.openFile(io, "../secret.txt", .{})) |_| {
        try out.print("outside read\n", .{});
    } else |err| {
        try out.print("outside {t}\n", .{err});
    }

    var names: std.ArrayList([]const u8) = .empty;
    const whole = try data.openDir(io, ".", .{ .iterate = true });
    var walker = try whole.walk(arena);
    while (try walker.next(io)) |entry| {
        try names.append(arena, try std.fmt.allocPrint(arena, "{s} {t}", .{ entry.path, entry.kind }));
    }
    std.mem.sort([]const u8, names.items, {}, lessThan);
    for (names.items) |name| try out.print("entry {s}\n", .{name});
    try data.deleteTree(io, "made/deep");

    const begin = Io.Clock.awake.now(io);
    try Io.sleep(io, .fromMilliseconds(20), .awake);
    const slept = begin.durationTo(Io.Clock.awake.now(io)).toMilliseconds();
    try out.print("slept {}\n", .{slept >= 20 and slept < 10_000});
    try out.print("after 2020 {}\n", .{Io.Clock.real.now(io).toSeconds() > 1_577_836_800});
    var bytes: [16]u8 = @splat(0);
    try io.randomSecure(&bytes);
    try out.print("random {}\n", .{!std.mem.allEqual(u8, &bytes, 0)});
    try out.flush();

    if (args.len > 1) return std.fmt.parseInt(u8, args[1], 10);
    @panic("no exit code");
}
