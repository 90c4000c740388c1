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
        // The program's own pages, read from their file again.
        Assert.NotEmpty(typeof(IdleMemory).Assembly.GetTypes());
    }
}
