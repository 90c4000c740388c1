using System.Collections.Concurrent;
using Kist.Enclaves.Images;
using Kist.Enclaves.Sgx;
using Kist.Formats;
using Kist.Linux.Devices;
using Kist.Linux.Enclaves;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.Loading;

/// <summary>
/// An enclave in the processor's own memory: loaded through the kernel's device, mapped at its addresses with the rights that its
/// pages have, and entered by the kernel's function on one of its threads (TCS). Safe for concurrent use: a thread serves one call.
/// </summary>
public sealed class HardwareEnclave : IDisposable
{
    /// <summary>Where the right to provision is.</summary>
    public const string ProvisionDevice = "/dev/sgx_provision";

    private const ulong Permissions = 7;
    private const int ReadWrite = 3;

    private readonly EnclaveRange _range;
    private readonly EnclaveEntry _entry;
    private readonly IDisposable? _device;
    private readonly ConcurrentBag<ulong> _free;

    private HardwareEnclave(EnclaveRange range, EnclaveEntry entry, IDisposable? device, List<ulong> threads)
    {
        _range = range;
        _entry = entry;
        _device = device;
        _free = [.. threads];
        Threads = threads.Count;
    }

    /// <summary>Where the enclave's range starts.</summary>
    public ulong BaseAddress => _range.Address;

    /// <summary>How many calls can be in the enclave at a time.</summary>
    public int Threads { get; }

    /// <summary>Why there can be no enclave in hardware here; null if there can.</summary>
    public static string? FindObstacle() =>
        !File.Exists(SgxDevice.Path) ? $"there is no {SgxDevice.Path}: the processor has no SGX, the firmware has it off, or the kernel is older than 5.11"
        : VirtualObject.FindFunction(EnclaveEntry.FunctionName) == 0 ? $"the kernel has no {EnclaveEntry.FunctionName}"
        : null;

    /// <summary>Loads an enclave on this machine.</summary>
    /// <param name="image">Its pages.</param>
    /// <param name="attributes">Its attributes.</param>
    /// <param name="sigstruct">Its signature.</param>
    /// <exception cref="OperationFailedException">There is no SGX here, or the processor or the kernel refused.</exception>
    public static HardwareEnclave Load(EnclaveImage image, SgxAttributes attributes, Sigstruct sigstruct)
    {
        if (FindObstacle() is { } obstacle)
            throw new OperationFailedException("load enclave", "this machine", obstacle, "kist doctor says what this machine can do");
        var device = SgxDevice.Open();
        EnclaveEntry? entry = null;
        try
        {
            entry = EnclaveEntry.Open();
            return Load(device, () => File.OpenHandle(ProvisionDevice), entry, image, attributes, sigstruct, device);
        }
        catch
        {
            entry?.Dispose();
            device.Dispose();
            throw;
        }
    }

    /// <summary>Loads an enclave.</summary>
    /// <param name="device">The device.</param>
    /// <param name="openProvisionDevice">Opens the right to provision, if the enclave asks for it.</param>
    /// <param name="entry">Enters; owned by the result.</param>
    /// <param name="image">Its pages.</param>
    /// <param name="attributes">Its attributes.</param>
    /// <param name="sigstruct">Its signature.</param>
    /// <param name="owned">Disposed with the result; null for nothing.</param>
    internal static HardwareEnclave Load(
        ISgxDevice device, Func<SafeFileHandle> openProvisionDevice, EnclaveEntry entry, EnclaveImage image, SgxAttributes attributes, Sigstruct sigstruct, IDisposable? owned)
    {
        ArgumentNullException.ThrowIfNull(image);
        var range = EnclaveRange.Reserve(image.EnclaveSize);
        try
        {
            new EnclaveLoader(device, openProvisionDevice).Load(image, range.Address, attributes, sigstruct);
            var threads = new List<ulong>();
            foreach (var (offset, length, protection) in Mappings(image.Pages))
                device.Map(range, offset, length, protection);
            foreach (var page in image.Pages)
            {
                if (IsThread(page))
                    threads.Add(range.Address + page.Offset);
            }

            return threads.Count > 0 ? new HardwareEnclave(range, entry, owned, threads)
                : throw new MalformedDataException("enclave", -1, "it has no TCS, so that nobody can enter it");
        }
        catch
        {
            range.Dispose();
            throw;
        }
    }

    /// <summary>Takes one of the enclave's threads. The caller disposes it.</summary>
    /// <exception cref="OperationFailedException">All of them are taken.</exception>
    public EnclaveThread TakeThread() => _free.TryTake(out var tcs) ? new EnclaveThread(_entry, tcs, _free.Add)
        : throw new OperationFailedException("enter enclave", $"0x{BaseAddress:x}", $"all of its {Threads} threads are taken", "sign it with more threads, or wait", isTransient: true);

    /// <summary>Unmaps the enclave; the kernel removes its pages with the device's last file.</summary>
    public void Dispose()
    {
        _range.Dispose();
        _entry.Dispose();
        _device?.Dispose();
    }

    /// <summary>
    /// Runs of pages with the same rights. A TCS has none in its SECINFO, and the kernel maps it as readable and writable, for the
    /// processor's own accesses (sgx_encl_may_map).
    /// </summary>
    internal static IEnumerable<(ulong Offset, ulong Length, int Protection)> Mappings(IEnumerable<EnclavePage> pages)
    {
        var sorted = pages.Select(p => (p.Offset, Protection: IsThread(p) ? ReadWrite : (int)(p.SecInfoFlags & Permissions))).OrderBy(p => p.Offset);
        (ulong Offset, ulong Length, int Protection) run = default;
        foreach (var (offset, protection) in sorted)
        {
            if (run.Length > 0 && offset == run.Offset + run.Length && protection == run.Protection)
            {
                run.Length += EnclaveImage.PageSize;
                continue;
            }

            if (run is { Length: > 0, Protection: not 0 })
                yield return run;
            run = (offset, EnclaveImage.PageSize, protection);
        }

        if (run is { Length: > 0, Protection: not 0 })
            yield return run;
    }

    private static bool IsThread(EnclavePage page) => (page.SecInfoFlags & 0xff00) == SecInfo.TcsPage;
}
