using Kist.Enclaves.Host;
using Kist.Enclaves.Manifests;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Formats;

namespace Kist.Enclaves.Runtime;

/// <summary>The files that belong to one enclave container, on the host.</summary>
/// <param name="Directory">Its directory.</param>
public sealed record EnclaveContainer(string Directory)
{
    private const string OriginalBundleName = "original-bundle";
    private const string MrEnclaveName = "mrenclave";

    /// <summary>The bundle that the underlying runtime is given.</summary>
    public string Bundle => Path.Combine(Directory, "bundle");

    /// <summary>What is mounted into the container.</summary>
    public string Share => Path.Combine(Directory, "share");

    /// <summary>What the enclaves of a pod share, if this is the pod's image agent.</summary>
    public string Pod => Path.Combine(Directory, "pod");

    /// <summary>The enclave host's socket.</summary>
    public string AgentSocket => Path.Combine(Share, HostPaths.AgentName);

    /// <summary>The bundle that the caller gave.</summary>
    public string OriginalBundle => File.ReadAllText(Path.Combine(Directory, OriginalBundleName));

    /// <summary>The enclave's measurement in hexadecimal digits.</summary>
    public string MrEnclave => File.ReadAllText(Path.Combine(Directory, MrEnclaveName));

    /// <summary>True if this container is an enclave container.</summary>
    public bool Exists => System.IO.Directory.Exists(Directory);

    /// <summary>Measures, signs and writes all that is needed to start.</summary>
    /// <param name="bundle">The caller's bundle.</param>
    /// <param name="options">Its enclave options.</param>
    /// <param name="places">Where things are on this host.</param>
    /// <param name="agent">The container of the pod's image agent, for an application that has its root from it; null otherwise.</param>
    /// <param name="note">Is told what a person should know.</param>
    public void Prepare(OciBundle bundle, EnclaveOptions options, RuntimePlaces places, EnclaveContainer? agent, Action<string> note)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(places);
        if (Exists)
            throw new OperationFailedException("create container", Path.GetFileName(Directory), "a container with this identifier exists", "delete it first");
        try
        {
            foreach (var path in new[] { Bundle, Share, Path.Combine(Share, "root"), Path.Combine(Share, "platform") })
                System.IO.Directory.CreateDirectory(path);
            File.Create(Path.Combine(Share, Path.GetFileName(HostPaths.Program))).Dispose();

            var manifest = LoadManifest(bundle, options);
            var (mrEnclave, sigstruct) = Sign(File.ReadAllBytes(places.Program), manifest, options, places, note);
            File.WriteAllBytes(Path.Combine(Share, HostPaths.ManifestName), manifest);
            File.WriteAllBytes(Path.Combine(Share, HostPaths.SigstructName), sigstruct.Bytes);
            File.WriteAllText(Path.Combine(Directory, OriginalBundleName), bundle.Directory);
            File.WriteAllText(Path.Combine(Directory, MrEnclaveName), Convert.ToHexStringLower(mrEnclave));
            var pod = options.Agent is not null ? Pod : agent?.Pod;
            if (options.Agent is not null)
                System.IO.Directory.CreateDirectory(Pod);
            if (pod is not null)
                System.IO.Directory.CreateDirectory(Path.Combine(Share, "pod"));
            BundleRewriter.Rewrite(bundle, Share, places.PlatformDirectory, places.Program, pod is null ? null : (pod, options.Agent is not null)).WriteTo(Bundle);
        }
        catch
        {
            Remove();
            throw;
        }
    }

    /// <summary>What is signed of an application's enclave, product and version 0.</summary>
    /// <param name="mrEnclave">Its measurement.</param>
    /// <param name="debug">True to give it the attribute DEBUG.</param>
    public static SigstructFields FieldsOf(ReadOnlyMemory<byte> mrEnclave, bool debug) => new()
    {
        EnclaveHash = mrEnclave,
        IsDebugType = debug,
        Attributes = new SgxAttributes(
            EnclaveTraits.Mode64Bit | (debug ? EnclaveTraits.Debug : EnclaveTraits.None), SgxAttributes.LegacyXfrm),
    };

    /// <summary>Removes all of it. No error if there is nothing.</summary>
    public void Remove()
    {
        if (Exists)
            System.IO.Directory.Delete(Directory, recursive: true);
    }

    private static byte[] LoadManifest(OciBundle bundle, EnclaveOptions options)
    {
        if (options.ManifestPath is not { } path)
            return BundleManifest.Create(bundle, options).ToBytes();
        var bytes = ReadFile(path, EnclaveManifest.MaxBytes, "read enclave manifest");
        BundleManifest.RequireMatch(EnclaveManifest.Parse(bytes), bundle, options);
        return bytes;
    }

    private static SignedEnclave Sign(byte[] program, byte[] manifest, EnclaveOptions options, RuntimePlaces places, Action<string> note)
    {
        byte[] Measure() => ApplicationEnclave.Create(program, manifest).Measure();
        if (options.SigstructPath is { } path)
            return ReadSigned(path, Measure());
        using var key = LoadKey(options, places, note);
        var cache = new SignedEnclaveCache(places.SignedEnclaves, TimeProvider.System, note);
        return cache.GetOrAdd(program, manifest, FieldsOf(default, options.Debug), key, Measure);
    }

    private static SignedEnclave ReadSigned(string path, byte[] mrEnclave)
    {
        var given = Sigstruct.Parse(ReadFile(path, Sigstruct.SizeInBytes, "read SIGSTRUCT"));
        return given.EnclaveHash.SequenceEqual(mrEnclave)
            ? new SignedEnclave(mrEnclave, given)
            : throw new OperationFailedException(
                "check SIGSTRUCT", path, $"it is for {Convert.ToHexStringLower(given.EnclaveHash)}, this application is {Convert.ToHexStringLower(mrEnclave)}",
                "sign this application, with this version of kist-rune");
    }

    private static EnclaveSigningKey LoadKey(EnclaveOptions options, RuntimePlaces places, Action<string> note)
    {
        if (options.KeyPath is { } path)
            return EnclaveSigningKey.FromPem(ReadFile(path, 64 * 1024, "read signing key"));
        note("no signing key given: signed with this machine's development key, so MRSIGNER says nothing");
        return places.LoadDevelopmentKey();
    }

    private static byte[] ReadFile(string path, int limit, string step)
    {
        try
        {
            var length = new FileInfo(path).Length;
            return length <= limit ? File.ReadAllBytes(path) : throw new OperationFailedException(step, path, $"{length} bytes are more than the limit of {limit}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OperationFailedException(step, path, "it cannot be read", inner: e);
        }
    }
}
