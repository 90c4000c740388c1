using System.Text;
using System.Text.Json;
using Kist.Formats;

namespace Kist.KeyBroker.Protocol.Tests;

public sealed class KbsJsonTests
{
    [Fact]
    public void Write_AttestRequest_HasTheExactNames()
    {
        using var key = JsonDocument.Parse("""{"kty":"EC","alg":"ECDH-ES+A256KW"}""");
        using var evidence = JsonDocument.Parse("""{"quote":"AA+/"}""");
        var request = new AttestRequest
        {
            InitData = new InitDataMessage { Format = "toml", Body = "x = 1" },
            RuntimeData = new RuntimeData { Nonce = "ab+/=", TeePublicKey = key.RootElement },
            TeeEvidence = new CompositeEvidence { PrimaryEvidence = evidence.RootElement, AdditionalEvidence = "" },
        };
        Assert.Equal(
            """{"init-data":{"format":"toml","body":"x = 1"},"runtime-data":{"nonce":"ab+/=","tee-pubkey":{"kty":"EC","alg":"ECDH-ES+A256KW"}},"tee-evidence":{"primary_evidence":{"quote":"AA+/"},"additional_evidence":""}}""",
            Encoding.UTF8.GetString(KbsJson.Write(request)));
        Assert.DoesNotContain("init-data", Encoding.UTF8.GetString(KbsJson.Write(request with { InitData = null })), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AttestRequestOfAnotherGuest_IgnoresWhatItDoesNotKnow()
    {
        var request = KbsJson.Read<AttestRequest>(
            """{"init-data":null,"later":1,"runtime-data":{"nonce":"n","tee-pubkey":{}},"tee-evidence":{"primary_evidence":{},"additional_evidence":""}}"""u8, 4096);
        Assert.Null(request.InitData);
        Assert.Equal("n", request.RuntimeData.Nonce);
    }

    [Theory]
    [InlineData("""{"version":"0.4.0","tee":"tdx"}""")] // extra-params is required
    [InlineData("""{"version":"0.4.0","tee":null,"extra-params":""}""")]
    [InlineData("""{"version":4,"tee":"tdx","extra-params":""}""")]
    [InlineData("""{"version":"0.4.0","version":"0.4.0","tee":"tdx","extra-params":""}""")]
    [InlineData("""{"version":"0.4.0","tee":"\ud800","extra-params":""}""")]
    [InlineData("""[]""")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("""{"version":"0.4.0","tee":"tdx","extra-params":""} x""")]
    public void Read_NotTheMessage_IsMalformed(string json) =>
        Assert.Throws<MalformedDataException>(() => KbsJson.Read<AuthRequest>(Encoding.UTF8.GetBytes(json), 4096));

    [Fact]
    public void Read_DuplicateDeepInTheEvidence_IsMalformed() => Assert.Throws<MalformedDataException>(() => KbsJson.Read<AttestRequest>(
        """{"runtime-data":{"nonce":"n","tee-pubkey":{"kty":"EC","kty":"RSA"}},"tee-evidence":{"primary_evidence":{},"additional_evidence":""}}"""u8, 4096));

    [Fact]
    public void Read_OverLimit_IsMalformed() =>
        Assert.Throws<MalformedDataException>(() => KbsJson.Read<AuthRequest>(new byte[65], 64));
}
