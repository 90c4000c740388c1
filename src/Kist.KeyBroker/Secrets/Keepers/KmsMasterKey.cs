using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Kist.Formats;

namespace Kist.KeyBroker.Secrets;

/// <summary>
/// A master key in AWS KMS: TrentService.Encrypt and TrentService.Decrypt (KMS API reference, JSON 1.1). The encryption
/// context is a digest, not the context itself: it is written in clear to the account's trail.
/// </summary>
public sealed partial class KmsMasterKey : IMasterKey
{
    private const string MediaType = "application/x-amz-json-1.1";
    private const string ContextName = "kist-context";

    private readonly KeeperClient _client;
    private readonly Uri _endpoint;
    private readonly string _key;
    private readonly string _region;
    private readonly Func<AwsCredentials> _credentials;
    private readonly TimeProvider _time;

    internal KmsMasterKey(string key, string region, Uri? endpoint, string? authorityFile, Func<AwsCredentials> credentials, TimeProvider time)
    {
        // An alias may come to mean another key, and what the first one wrapped would be lost.
        if (!KeyName().IsMatch(key))
            throw new OperationFailedException("open the master key", key, "it is no key id or ARN of a key", "name the key itself, not an alias");
        if (!RegionName().IsMatch(region))
            throw new OperationFailedException("open the master key", key, $"\"{region}\" is no region");
        Id = $"awskms:{region}/{key[(key.LastIndexOf('/') + 1)..]}";
        _endpoint = endpoint ?? new Uri($"https://kms.{region}.amazonaws.com/");
        _client = new KeeperClient(_endpoint, authorityFile, Id);
        _key = key;
        _region = region;
        _credentials = credentials;
        _time = time;
    }

    /// <inheritdoc/>
    public string Id { get; }

    /// <inheritdoc/>
    public byte[] Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context)
    {
        using var plaintext = SecretBytes.CopyOf(key);
        var digest = Digest(context);
        using var body = SecretJson.Write(writer =>
        {
            WriteKey(writer, digest);
            writer.WriteBase64String("Plaintext"u8, plaintext.Span);
        });
        return _client.Send("wrap a key", Request("Encrypt", body), answer => answer.GetProperty("CiphertextBlob").GetBytesFromBase64());
    }

    /// <inheritdoc/>
    public SecretBytes Unwrap(ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> context)
    {
        var (blob, digest) = (wrapped.ToArray(), Digest(context));
        using var body = SecretJson.Write(writer =>
        {
            WriteKey(writer, digest);
            writer.WriteBase64String("CiphertextBlob"u8, blob);
        });
        return _client.Send("unwrap a key", Request("Decrypt", body), answer => KeeperClient.SecretOf(answer, "Plaintext"));
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private static string Digest(ReadOnlySpan<byte> context) => Convert.ToHexStringLower(SHA256.HashData(context));

    private void WriteKey(Utf8JsonWriter writer, string digest)
    {
        writer.WriteString("KeyId"u8, _key);
        writer.WriteStartObject("EncryptionContext"u8);
        writer.WriteString(ContextName, digest);
        writer.WriteEndObject();
    }

    private HttpRequestMessage Request(string action, SecretJson body)
    {
        var (now, credentials) = (_time.GetUtcNow(), _credentials());
        List<(string Name, string Value)> headers =
        [
            ("content-type", MediaType), ("host", _endpoint.Authority), ("x-amz-date", AwsSignature.Timestamp(now)), ("x-amz-target", $"TrentService.{action}"),
        ];
        if (credentials.SessionToken is { } token)
            headers.Add(("x-amz-security-token", token));
        var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = body.ToContent(MediaType) };
        request.Headers.TryAddWithoutValidation("Authorization", AwsSignature.Authorization("POST", headers, body.Bytes, credentials, _region, "kms", now));
        foreach (var (name, value) in headers.Where(h => h.Name.StartsWith("x-amz-", StringComparison.Ordinal)))
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    [GeneratedRegex(@"\A(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/)?(mrk-)?[0-9a-f-]{32,36}\z", RegexOptions.NonBacktracking)]
    private static partial Regex KeyName();

    [GeneratedRegex(@"\A[a-z]{2}(-[a-z]+)+-[0-9]\z", RegexOptions.NonBacktracking)]
    private static partial Regex RegionName();
}
