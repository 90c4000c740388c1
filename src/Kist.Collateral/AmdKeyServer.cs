using Kist.Attestation;
using Kist.Attestation.Snp;
using Kist.Formats;

namespace Kist.Collateral;

/// <summary>
/// Fetches what SNP evidence needs from AMD's key distribution server (AMD 57230): the chip's certificate, AMD's chain and
/// its revocation list. Answers are cached; certificates for good, lists for a day. What it returns is not verified here.
/// </summary>
public sealed class AmdKeyServer : IDisposable
{
    /// <summary>AMD's own server.</summary>
    public static readonly Uri DefaultAddress = new("https://kdsintf.amd.com/");

    private readonly CollateralHttp _http;
    private readonly CollateralCache _cache;
    private readonly CollateralFetchOptions _options;
    private readonly TimeProvider _time;
    private readonly Uri _address;

    /// <summary>Creates a fetcher.</summary>
    /// <param name="http">Not disposed here.</param>
    /// <param name="cache">Where answers are kept.</param>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="address">Another server with AMD's interface; null for AMD's.</param>
    public AmdKeyServer(HttpClient http, CollateralCache cache, CollateralFetchOptions? options = null, TimeProvider? time = null, Uri? address = null)
    {
        _options = options ?? new CollateralFetchOptions();
        _time = time ?? TimeProvider.System;
        _http = new CollateralHttp(http, _options, _time);
        _cache = cache;
        _address = address ?? DefaultAddress;
    }

    /// <summary>Adds everything that a piece of evidence needs and does not bring.</summary>
    /// <exception cref="MalformedDataException">The evidence does not follow its format.</exception>
    /// <exception cref="OperationFailedException">Something cannot be had. What could be had is in the store.</exception>
    public async Task FetchAsync(Attestation.Evidence evidence, CollateralStore store, CancellationToken cancellationToken)
    {
        var keys = SnpCollateral.KeysFor(evidence);
        var hasCertificate = false;
        OperationFailedException? failure = null;
        foreach (var key in keys)
        {
            try
            {
                store.Add(key, await GetAsync(key, cancellationToken).ConfigureAwait(false));
                hasCertificate |= key.Kind == CollateralKey.AmdVcek;
            }
            catch (OperationFailedException e)
            {
                failure ??= e;
            }
        }

        // Of several products that the chip may be of, the server knows the certificate of one.
        if (failure is not null && !(hasCertificate && keys.Count > 2 && keys.Any(k => k.Kind == CollateralKey.AmdCrl && store.Find(k) is not null)))
            throw failure;
    }

    /// <summary>Gets one piece of AMD's collateral from the cache or the server.</summary>
    /// <exception cref="OperationFailedException">It cannot be had.</exception>
    public async Task<ReadOnlyMemory<byte>> GetAsync(CollateralKey key, CancellationToken cancellationToken)
    {
        var uri = UriOf(key);
        var cached = await _cache.ReadAsync(key, cancellationToken).ConfigureAwait(false);
        if (cached is { } fresh && (_options.Offline || key.Kind != CollateralKey.AmdCrl || _time.GetUtcNow() - fresh.Written < _options.CrlFreshness))
            return fresh.Data;
        if (_options.Offline)
            throw new OperationFailedException("find collateral", $"{key.Kind} {key.Name}", "it is not in the collateral directory, and the network is not to be used",
                "fetch it on a machine with a network, and copy the directory");
        try
        {
            var data = await _http.GetAsync(uri, cancellationToken).ConfigureAwait(false);
            await _cache.WriteAsync(key, data, _time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
            return data;
        }
        catch (OperationFailedException e) when (e.IsTransient && _options.UseStaleOnError && cached is not null)
        {
            return cached.Value.Data;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private Uri UriOf(CollateralKey key)
    {
        if (key.Kind == CollateralKey.AmdVcek)
            return new Uri(_address, $"vcek/v1/{key.Name}");
        var parts = key.Name.Split('/');
        if (parts is not [var product, "vcek" or "vlek"] || key.Kind is not (CollateralKey.AmdChain or CollateralKey.AmdCrl))
            throw new ArgumentException($"{key.Kind} {key.Name} is not collateral of AMD's", nameof(key));
        return new Uri(_address, $"{parts[1]}/v1/{product}/{(key.Kind == CollateralKey.AmdChain ? "cert_chain" : "crl")}");
    }
}
