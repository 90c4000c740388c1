using CsCheck;

namespace Kist.Formats.Tests;

public sealed class Base64UrlTests
{
    [Fact]
    public void Decode_WhatWasEncoded_IsTheSame() =>
        Gen.Byte.Array[0, 100].Sample(bytes => Assert.Equal(bytes, Base64Url.Decode(Base64Url.Encode(bytes), 100, "sample")));

    [Theory]
    [InlineData("A")] // no byte string has five, nine … characters
    [InlineData("AAAAA")]
    [InlineData("AB")] // bits past the last byte
    [InlineData("AAB")]
    [InlineData("AA==")]
    [InlineData("AA AA")]
    [InlineData("AAAA\n")]
    [InlineData("+/AA")]
    public void Decode_AnotherSpelling_IsRefused(string text) =>
        Assert.Throws<MalformedDataException>(() => Base64Url.Decode(text, 100, "sample"));

    [Fact]
    public void Decode_OverLimit_IsRefused() =>
        Assert.Throws<MalformedDataException>(() => Base64Url.Decode(new string('A', 8), 5, "sample"));

    [Fact]
    public void DecodeExact_OtherLength_IsRefused() =>
        Assert.Throws<MalformedDataException>(() => Base64Url.DecodeExact("AAAA", 4, "sample"));
}
