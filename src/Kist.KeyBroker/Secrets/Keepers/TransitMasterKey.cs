using System.Text;
using System.Text.Json;
using Kist.Formats;

namespace Kist.KeyBroker.Secrets;

/// <summary>
/// A master key in the transit engine of HashiCorp Vault or OpenBao: POST /v1/MOUNT/encrypt/KEY and …/decrypt/KEY with
/// plaintext, ciphertext and associated_data (the context). The token is read from its file at each call, so that an agent
/// may renew it. The key must be of a kind that takes associated data: aes128-gcm96, aes256-gcm96, chacha20-poly1305.
/// </summary>
public sealed class TransitMasterKey : IMasterKey
{
    private const int MaxTokenBytes = 4096;
    private const int MaxCiphertextBytes = 16 * 1024;

    private readonly KeeperClient _client;
    private readonly string _mount;
    private readonly string _key;
    private readonly string _tokenFile;
    private readonly string? _namespace;

    /// <summary>A key of a server.</summary>
    /// <param name="server">The server's address, without a path.</param>
    /// <param name="mount">Where the engine is mounted, such as "transit".</param>
    /// <param name="key">The key's name.</param>
    /// <param name="tokenFile">File with the token, for its owner only.</param>
    /// <param name="authorityFile">The authority of the server's certificate (PEM); null for the machine's own.</param>
    /// <param name="namespaceName">The namespace; null for the root.</param>
    public TransitMasterKey(Uri server, string mount, string key, string tokenFile, string? authorityFile = null, string? namespaceName = null)
    {
        Id = $"vault:{server.Authority}/{(namespaceName is null ? "" : namespaceName.Trim('/') + "/")}{mount}/{key}";
        _client = new KeeperClient(server, authorityFile, Id);
        _mount = mount;
        _key = key;
        _tokenFile = tokenFile;
        _namespace = namespaceName;
    }

    /// <inheritdoc/>
    public string Id { get; }

    /// <inheritdoc/>
    public byte[] Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context)
    {
        using var body = SecretJson.Write(key, context, "plaintext", "associated_data");
        return _client.Send("wrap a key", Request("encrypt", body), answer =>
        {
            var text = answer.GetProperty("data").GetProperty("ciphertext").GetString()!;
            return text.Length is > 0 and <= MaxCiphertextBytes ? Encoding.ASCII.GetBytes(text) : throw new FormatException("the ciphertext is empty or too long");
        });
    }

    /// <inheritdoc/>
    public SecretBytes Unwrap(ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> context)
    {
        var associated = Convert.ToBase64String(context);
        var ciphertext = Encoding.ASCII.GetString(wrapped);
        using var body = SecretJson.Write(writer =>
        {
            writer.WriteString("ciphertext"u8, ciphertext);
            writer.WriteString("associated_data"u8, associated);
        });
        return _client.Send("unwrap a key", Request("decrypt", body), answer => KeeperClient.SecretOf(answer.GetProperty("data"), "plaintext"));
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private HttpRequestMessage Request(string verb, SecretJson body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/{_mount}/{verb}/{_key}") { Content = body.ToContent("application/json") };
        request.Headers.Add("X-Vault-Token", SecretFiles.ReadText(_tokenFile, MaxTokenBytes, "read the token for Vault"));
        request.Headers.Add("X-Vault-Request", "true");
        if (_namespace is not null)
            request.Headers.Add("X-Vault-Namespace", _namespace);
        return request;
    }
}
