using Kist.Attestation;
using Kist.Attestation.Dcap;
using Kist.Formats;

namespace Kist.Collateral;

/// <summary>
/// Fetches what SGX and TDX evidence needs from Intel's provisioning certification service, or from a cache of it (PCCS), by
/// version 4 of its interface: TCB info, identity of the quoting enclave, and the revocation lists. Answers are cached together, so
/// that parts of different days are never mixed. What it returns is not verified here.
/// </summary>
public sealed class IntelProvisioningService : IDisposable
{
    /// <summary>Intel's own service.</summary>
    public static readonly Uri DefaultAddress = new("https://api.trustedservices.intel.com/");

    /// <summary>Where Intel publishes the root's revocation list; caches serve it themselves.</summary>
    public static readonly Uri RootListAddress = new("https://certificates.trustedservices.intel.com/IntelSGXRootCA.der");

    private readonly CollateralHttp _http;
    private readonly CollateralCache _cache;
    private readonly CollateralFetchOptions _options;
    private readonly TimeProvider _time;
    private readonly Uri _address;
    private readonly string _update;

    /// <summary>Creates a fetcher.</summary>
    /// <param name="http">Not disposed here.</param>
    /// <param name="cache">Where answers are kept.</param>
    /// <param name="options">Limits; null for the defaults. Requests to Intel are spaced ten times as closely as AMD asks for.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="address">A cache's address, up to but without "sgx/certification/…"; null for Intel's service.</param>
    /// <param name="isEarly">True for Intel's newest evaluation, before platforms have had time to update.</param>
    public IntelProvisioningService(
        HttpClient http, CollateralCache cache, CollateralFetchOptions? options = null, TimeProvider? time = null, Uri? address = null, bool isEarly = false)
    {
        _options = options ?? new CollateralFetchOptions();
        _time = time ?? TimeProvider.System;
        _http = new CollateralHttp(http, _options with { Spacing = _options.Spacing / 10 }, _time);
        _cache = cache;
        _address = address ?? DefaultAddress;
        _update = isEarly ? "early" : "standard";
    }

    /// <summary>Adds the collateral that a piece of evidence needs; nothing for evidence of other TEEs.</summary>
    /// <exception cref="MalformedDataException">The evidence does not follow its format.</exception>
    /// <exception cref="OperationFailedException">It cannot be had.</exception>
    public async Task FetchAsync(Attestation.Evidence evidence, CollateralStore store, CancellationToken cancellationToken)
    {
        if (DcapCollateralNeeds.KeyOf(evidence) is { } key)
            store.Add(key, await GetAsync(key, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Gets the collateral of one kind of platform from the cache or the service.</summary>
    /// <exception cref="OperationFailedException">It cannot be had.</exception>
    public async Task<DcapCollateral> GetAsync(DcapCollateralKey key, CancellationToken cancellationToken)
    {
        var name = new CollateralKey(CollateralKey.IntelDcap, $"{key.Fmspc}/{Authority(key.Ca)}/{key.Tee}");
        var cached = await ReadCacheAsync(name, cancellationToken).ConfigureAwait(false);
        if (cached is { } kept && (_options.Offline || IsFresh(kept.Collateral, kept.Written)))
            return kept.Collateral;
        if (_options.Offline)
        {
            throw new OperationFailedException(
                "find collateral", $"{name.Kind} {name.Name}", "it is not in the collateral directory, and the network is not to be used",
                "fetch it on a machine with a network, and copy the directory");
        }

        try
        {
            var fetched = await FetchAsync(key, cancellationToken).ConfigureAwait(false);
            await _cache.WriteAsync(name, DcapCollateralJson.Write(key, fetched), _time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
            return fetched;
        }
        catch (OperationFailedException e) when (e.IsTransient && _options.UseStaleOnError && cached is not null)
        {
            return cached.Value.Collateral;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>Kept collateral is fresh for a day, unless it has expired or cannot be read.</summary>
    private bool IsFresh(DcapCollateral collateral, DateTimeOffset written)
    {
        var now = _time.GetUtcNow();
        return now - written < _options.DcapFreshness && collateral.ExpiresAt is { } end && now < end;
    }

    private async Task<(DcapCollateral Collateral, DateTimeOffset Written)?> ReadCacheAsync(CollateralKey name, CancellationToken cancellationToken)
    {
        if (await _cache.ReadAsync(name, cancellationToken).ConfigureAwait(false) is not { } entry)
            return null;
        try
        {
            return (DcapCollateralJson.Parse(entry.Data).Collateral, entry.Written);
        }
        catch (MalformedDataException)
        {
            // A file that someone else damaged is fetched again.
            return null;
        }
    }

    private async Task<DcapCollateral> FetchAsync(DcapCollateralKey key, CancellationToken cancellationToken)
    {
        var (tcbInfo, tcbChain) = await GetAsync(
            $"{key.Tee}/certification/v4/tcb?fmspc={key.Fmspc}&update={_update}", "TCB-Info-Issuer-Chain", cancellationToken).ConfigureAwait(false);
        var (identity, identityChain) = await GetAsync(
            $"{key.Tee}/certification/v4/qe/identity?update={_update}", "SGX-Enclave-Identity-Issuer-Chain", cancellationToken).ConfigureAwait(false);
        var (pckCrl, pckCrlChain) = await GetAsync(
            $"sgx/certification/v4/pckcrl?ca={Authority(key.Ca)}&encoding=der", "SGX-PCK-CRL-Issuer-Chain", cancellationToken).ConfigureAwait(false);
        var root = _address == DefaultAddress ? RootListAddress : new Uri(_address, "sgx/certification/v4/rootcacrl");
        return new DcapCollateral
        {
            TcbInfo = tcbInfo,
            TcbInfoIssuerChain = tcbChain,
            QeIdentity = identity,
            QeIdentityIssuerChain = identityChain,
            PckCrl = FromHex(pckCrl),
            PckCrlIssuerChain = pckCrlChain,
            RootCaCrl = FromHex(await _http.GetAsync(root, cancellationToken).ConfigureAwait(false)),
        };
    }

    /// <summary>Gets a statement and the chain of its signer, which comes percent-encoded in a header.</summary>
    private async Task<(byte[] Data, byte[] Chain)> GetAsync(string path, string header, CancellationToken cancellationToken)
    {
        var uri = new Uri(_address, path);
        var (data, chain) = await _http.GetAsync(uri, header, cancellationToken).ConfigureAwait(false);
        return chain is null
            ? throw new OperationFailedException("fetch collateral", uri.ToString(), $"the answer has no {header} header", "check that the address is that of Intel's service or of a PCCS")
            : (data, System.Text.Encoding.ASCII.GetBytes(Uri.UnescapeDataString(chain)));
    }

    /// <summary>Some caches serve lists as hexadecimal text.</summary>
    private static byte[] FromHex(byte[] data) => data.Length % 2 == 0 && data.All(b => char.IsAsciiHexDigit((char)b))
        ? Convert.FromHexString(System.Text.Encoding.ASCII.GetString(data))
        : data;

    private static string Authority(PckCa ca) => ca == PckCa.Platform ? "platform" : "processor";
}
