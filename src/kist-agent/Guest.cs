using System.Security.Cryptography;
using Kist.Agent.Boot;
using Kist.Agent.Containers;
using Kist.Agent.GuestServices;
using Kist.Agent.Images;
using Kist.Agent.Policy;
using Kist.Agent.Tee;
using Kist.Formats;
using Kist.Linux.Processes;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent;

/// <summary>The guest's state: what it is, what its owner has configured, and what runs in it.</summary>
sealed class Guest : IServedGuest
{
    private const string EventDomain = "github.com/confidential-containers";

    private readonly Lock _sandboxLock = new();

    public Guest(ProgressLog progress)
    {
        Progress = progress;
        Keys = new BrokerKeys(GuestConfiguration.None, null, null, progress);
        var reaper = new ChildReaper();
        Factory = new ContainerFactory(this, reaper);
        Services = new GuestServiceHost(this, reaper);
    }

    public ProgressLog Progress { get; }

    public ITee? Tee { get; private set; }

    /// <summary>Null without init-data.</summary>
    public InitDataToml? InitData { get; private set; }

    public GuestConfiguration Configuration { get; private set; } = GuestConfiguration.None;

    public IAgentPolicy Policy { get; private set; } = new DenyAll("the guest is still starting");

    /// <summary>Null unless the guest learns.</summary>
    public LearningPolicy? Learning { get; private set; }

    public BrokerKeys Keys { get; private set; }

    ISecretSource IServedGuest.Secrets => Keys;

    /// <summary>How images may be pulled.</summary>
    public ImageAccess Images => new(Configuration.Images, Keys);

    public ContainerTable Containers { get; } = new();

    public ContainerFactory Factory { get; }

    /// <summary>What the pod's containers share.</summary>
    public Sandbox Sandbox { get; private set; } = Sandbox.None;

    /// <summary>Makes the guest a pod of several containers, once.</summary>
    public void CreateSandbox(CreateSandboxRequest request)
    {
        lock (_sandboxLock)
        {
            if (!ReferenceEquals(Sandbox, Sandbox.None) || Containers.All.Count > 0)
                throw new AgentException(FailureCode.InvalidRequest, "create sandbox", "pod", "it is made once, before the first container");
            Sandbox = Sandbox.Create(request);
        }
    }

    /// <summary>What containers may ask of the guest.</summary>
    public GuestServiceHost Services { get; }

    /// <summary>
    /// The part of the boot that requests wait for. If it fails, the guest answers every request with that failure and
    /// does nothing else, ever.
    /// </summary>
    public async Task BootAsync()
    {
        using (Progress.Run("boot.network"))
            GuestNetwork.Configure();
        using (var step = Progress.Start("boot.tee"))
        {
            Tee = await TeeDetector.DetectAsync();
            step.Finish();
        }

        using (var step = Progress.Start("boot.init-data"))
        {
            InitData = await ReadInitDataAsync();
            step.Finish();
        }

        using (var step = Progress.Start("boot.policy"))
        {
            Configuration = InitData is null ? GuestConfiguration.None : Configure(() => GuestConfiguration.From(InitData));
            Keys = new BrokerKeys(Configuration, InitData, Tee, Progress);
            Policy = Configuration.PolicyRego is { } text
                ? Configure(() => RegoAgentPolicy.Compile(text))
                : new DenyAll(InitData is null ? "the guest was started without init-data" : "init-data has no policy.rego");
            if (Configuration.Learn)
                Policy = Learning = Tee is { IsSimulated: true } ? new LearningPolicy(Policy) : throw Refused("it asks for learn mode, and this platform is not simulated");
            step.Finish();
        }

        using (Progress.Run("boot.services"))
        {
            Services.Start();
        }
    }

    /// <summary>Writes into the runtime register which image this guest is about to unpack, before a key for it is asked.</summary>
    public async Task RecordImageAsync(string reference, string digest, CancellationToken cancellationToken)
    {
        if (Tee is not { } tee)
            return;
        using var step = Progress.Start("attest.record-image", digest);
        // References and digests have no characters that JSON would escape.
        await tee.ExtendAsync(EventDomain, "PullImage", $$"""{"image":"{{reference}}","digest":"{{digest}}"}""", cancellationToken);
        step.Finish();
    }

    /// <summary>Ends every container. The machine is powered off next, so nothing is tidied but what outlives it.</summary>
    public async Task StopAsync(TimeSpan grace = default)
    {
        var running = Containers.All.Where(c => c.Exit is { IsCompleted: false }).ToArray();
        if (grace > TimeSpan.Zero && running.Length > 0)
        {
            foreach (var container in running)
                container.Process("").Signal(Signals.Terminate);
            await Task.WhenAny(Task.WhenAll(running.Select(c => c.Exit!)), Task.Delay(grace));
        }

        foreach (var container in running.Where(c => c.Exit is { IsCompleted: false }))
            container.SignalAll(Signals.Kill);
        Services.CloseVolumes();
    }

    private async Task<InitDataToml?> ReadInitDataAsync()
    {
        var document = Configure(InitDataSource.Read);
        var field = Tee is null ? null : await Tee.GetInitDataFieldAsync(CancellationToken.None);
        if (document is null)
        {
            return field is null || !field.AsSpan().ContainsAnyExcept((byte)0)
                ? null
                : throw Refused("the launch is bound to init-data, but the host has not handed it over");
        }

        var initData = Configure(() => InitDataToml.Parse(document));
        if (field is null)
            throw Refused("there is init-data, but no TEE to tell whether it is what the guest was launched with");
        return CryptographicOperations.FixedTimeEquals(initData.Field(field.Length), field)
            ? initData
            : throw Refused("its digest is not the one that the TEE reports: the host has changed it");
    }

    /// <summary>Malformed configuration is a refusal with its own code.</summary>
    private static T Configure<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (MalformedDataException e)
        {
            throw Refused(e.Message, e);
        }
    }

    private static AgentException Refused(string reason, Exception? inner = null) => new(
        FailureCode.InitDataRefused, "check init-data", "init-data", reason,
        "the guest's owner writes it and registers its digest; the host must hand it over unchanged", inner);
}
