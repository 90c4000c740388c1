using System.Text;
using Kist.Formats;
using Kist.Images.Ocicrypt;

namespace Kist.Images.Tests;

public sealed class KeyProviderMessageTests
{
    private const string KeyId = "kbs:///default/key/1";
    private static readonly byte[] s_key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    // As Go's ocicrypt writes it (keywrap/keyprovider): []byte in base64, both params always there.
    private const string GoWrap = """
        {"op":"keywrap","keywrapparams":{"ec":{"Parameters":{"attestation-agent":["a2V5aWQ9a2JzOi8vL2RlZmF1bHQva2V5LzE="]},"DecryptConfig":{"Parameters":{}}},"optsdata":"c2VjcmV0"},"keyunwrapparams":{"dc":{"Parameters":null},"annotation":null}}
        """;

    [Fact]
    public async Task Handle_RequestOfGo_WrapsAndAnswersWithNumbers()
    {
        var service = new KeyProviderService(new FixedKeyProvider(KeyId, s_key), null);
        var answer = await service.HandleAsync(Encoding.UTF8.GetBytes(GoWrap), TestContext.Current.CancellationToken);
        Assert.StartsWith("""{"keywrapresults":{"annotation":[123,""", Encoding.UTF8.GetString(answer), StringComparison.Ordinal);
        var packet = KeyPacket.Parse(KeyProviderMessage.ParseAnswer(isWrap: true, answer));
        Assert.Equal(KeyId, packet.Kid);
        Assert.Equal("secret"u8.ToArray(), packet.Unwrap(s_key));
    }

    [Theory]
    [InlineData("base64")]
    [InlineData("numbers")]
    public async Task Handle_UnwrapInEitherConvention_Opens(string convention)
    {
        var packet = KeyPacket.Wrap("secret"u8, KeyId, s_key).ToBytes();
        var annotation = convention == "base64" ? $"\"{Convert.ToBase64String(packet)}\"" : $"[{string.Join(',', packet)}]";
        var request = $$"""{"op":"keyunwrap","keyunwrapparams":{"dc":{"Parameters":{} },"annotation":{{annotation}} } }""";
        var answer = await new KeyProviderService(new FixedKeyProvider(KeyId, s_key), null).HandleAsync(Encoding.UTF8.GetBytes(request), TestContext.Current.CancellationToken);
        Assert.Equal("secret"u8.ToArray(), KeyProviderMessage.ParseAnswer(isWrap: false, answer));
    }

    [Theory]
    [InlineData("keypath=/etc/shadow")]
    [InlineData("algorithm=A256CTR")]
    [InlineData("sample=true")]
    public async Task Handle_SettingThatIsNotAccepted_IsRefused(string setting)
    {
        var request = KeyProviderMessage.WriteRequest(isWrap: true, "x"u8, "attestation-agent", [$"keyid={KeyId}::{setting}"]);
        var service = new KeyProviderService(new FixedKeyProvider(KeyId, s_key), KeyId);
        await Assert.ThrowsAsync<OperationFailedException>(() => service.HandleAsync(request, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"op":"other"}""")]
    [InlineData("""{"op":"keywrap"}""")]
    [InlineData("""{"op":"keywrap","keywrapparams":{"ec":{"Parameters":{}},"optsdata":"not base64!"}}""")]
    [InlineData("""{"op":"keywrap","keywrapparams":{"ec":{"Parameters":{}},"optsdata":[256]}}""")]
    [InlineData("""{"op":"keywrap","op":"keyunwrap"}""")]
    public async Task Handle_WrongRequest_IsMalformed(string request) => await Assert.ThrowsAsync<MalformedDataException>(
        () => new KeyProviderService(new FixedKeyProvider(KeyId, s_key), KeyId).HandleAsync(Encoding.UTF8.GetBytes(request), TestContext.Current.CancellationToken));

    [Theory]
    [InlineData(0)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(70000)]
    public void GrpcMessage_AnyLength_ReadsBack(int length)
    {
        var value = new byte[length];
        var frame = KeyProviderGrpc.WriteMessage(value);
        Assert.Equal(value, KeyProviderGrpc.ReadMessage(frame));
        Assert.Throws<MalformedDataException>(() => KeyProviderGrpc.ReadMessage(frame.AsSpan(0, frame.Length - 1)));
    }
}
