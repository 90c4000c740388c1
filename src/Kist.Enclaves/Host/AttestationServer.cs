using System.Net.Sockets;
using System.Security.Cryptography;
using Kist.Enclaves.Attestation;
using Kist.Formats;

namespace Kist.Enclaves.Host;

/// <summary>Answers challenges over RA-TLS on a Unix socket that a relay connects to the network.</summary>
sealed class AttestationServer(Socket listener, EnclaveIdentity identity, Action<string> log) : IDisposable
{
    private const int MaxConnections = 32;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _places = new(MaxConnections);

    public async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await _places.WaitAsync().ConfigureAwait(false);
                _ = ServeAsync(await listener.AcceptAsync().ConfigureAwait(false));
            }
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            // The enclave ends.
        }
    }

    public void Dispose()
    {
        listener.Dispose();
        _places.Dispose();
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            using var limit = new CancellationTokenSource(s_patience);
            using var stream = new NetworkStream(socket, ownsSocket: true);
            var certificate = await identity.CertificateAsync(limit.Token).ConfigureAwait(false);
            var (tls, _) = await RaTlsConnection.AcceptAsync(stream, certificate, client: null, limit.Token).ConfigureAwait(false);
            await using (tls.ConfigureAwait(false))
                await ChallengeProtocol.AnswerAsync(tls, identity.EvidenceAsync, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationFailedException or MalformedDataException or CryptographicException or IOException or SocketException or OperationCanceledException)
        {
            log($"challenge not answered: {e.Message}");
        }
        finally
        {
            _places.Release();
        }
    }
}
