using System.Security.Cryptography;
using Kist.Linux.Processes;

namespace Kist.Linux.Tests;

public sealed class IdleMemoryTests
{
    [Fact]
    public void GiveBack_WhateverWasInMemory_IsStillThere()
    {
        var data = RandomNumberGenerator.GetBytes(1 << 20);
        var before = SHA256.HashData(data);
        for (var i = 0; i < 3; i++)
            IdleMemory.GiveBack();
        Assert.Equal(before, SHA256.HashData(data));
        Assert.NotEmpty(typeof(IdleMemory).Assembly.GetTypes());
    }

    [Fact]
    public void ConstantData_OnlyPagesOfTheFile_AreNamed()
    {
        string[] smaps =
        [
            "1000-3000 r--p 00000000 fe:00 1 /opt/kist", "Rss: 8 kB", "Anonymous: 0 kB",
            "3000-5000 r-xp 00002000 fe:00 1 /opt/kist", "Rss: 8 kB", "Anonymous: 0 kB",
            "5000-6000 r--p 00004000 fe:00 1 /opt/kist", "Rss: 4 kB", "Anonymous: 4 kB",
            "6000-7000 rw-p 00005000 fe:00 1 /opt/kist", "Rss: 4 kB", "Anonymous: 0 kB",
            "7000-8000 rw-p 00000000 00:00 0", "Anonymous: 0 kB",
            "8000-9000 r--p 00000000 fe:00 2 /usr/lib/other/opt/kist", "Anonymous: 0 kB",
            "9000-a000 r--p 00000000 fe:00 2 /opt/kist-agent", "Anonymous: 0 kB",
        ];
        Assert.Equal([(0x1000ul, 0x2000ul)], IdleMemory.ConstantData(smaps, "/opt/kist"));
    }
}
